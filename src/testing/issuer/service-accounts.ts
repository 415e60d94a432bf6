/** The service accounts, and the people, that the emulator knows. */
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { uniqueIdOf } from './google-claims.ts'
import { isEmail } from '../../checks/parse-options.ts'

/** A key of a service account; its private half is in the key file. */
export interface ServiceAccountKey {
  readonly id: string
  readonly publicKey: KeyObject
  /** PEM, PKCS #8. */
  readonly privateKey: string
}

/** Every email is an account. Its unique id is known only after the email has been named once. */
export class ServiceAccounts {
  readonly #emails = new Map<string, string>()
  readonly #keys = new Map<string, ServiceAccountKey>()

  /** The account of an email or a unique id, by its email. */
  find(emailOrUniqueId: string): string | undefined {
    if (!isEmail(emailOrUniqueId)) return this.#emails.get(emailOrUniqueId)
    this.#emails.set(uniqueIdOf(emailOrUniqueId), emailOrUniqueId)
    return emailOrUniqueId
  }

  /** The account's key; it is always the same. */
  key(email: string): ServiceAccountKey {
    const known = this.#keys.get(email)
    if (known !== undefined) return known
    this.find(email)
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const key = {
      id: randomBytes(20).toString('hex'),
      publicKey,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }
    this.#keys.set(email, key)
    return key
  }

  /** The account of an email or a unique id, if it was ever given a key. */
  withKey(emailOrUniqueId: string): { email: string; publicKey: KeyObject } | undefined {
    const email = this.find(emailOrUniqueId)
    const key = email === undefined ? undefined : this.#keys.get(email)
    return email === undefined || key === undefined
      ? undefined
      : { email, publicKey: key.publicKey }
  }
}
