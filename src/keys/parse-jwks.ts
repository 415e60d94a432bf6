import type { AsymmetricKeyDetails, KeyObject } from 'node:crypto'
import type { VerificationKey } from './key-set.ts'
import { importRsaKey } from './rsa-sha256.ts'

/** A judged JWK set document. */
export interface ParsedJwks {
  readonly keys: ReadonlyMap<string, VerificationKey>
  /** Why other members of the set were left out; public information only. */
  readonly skipped: readonly string[]
}

type Jwk = Readonly<Record<string, unknown>>

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4: members that only a private or symmetric key has. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const SHORTEST_MODULUS = 2048
/** FIPS 186-5 section 5.1: with a very small exponent signatures can be made without the key. */
const SMALLEST_EXPONENT = 65_537n
const LONGEST_KID_SHOWN = 64

/**
 * Judges a JWK set (RFC 7517 section 5) and imports its usable keys.
 *
 * @param previous - the keys in hand: one that comes again stays the same object, so that what was
 * verified with it stays valid, and what was verified with a key that is gone does not
 * @throws Error saying what is wrong with the document as a whole; it quotes no key material
 */
export function parseJwks(
  document: unknown,
  previous?: ReadonlyMap<string, VerificationKey>,
): ParsedJwks {
  const members = isObject(document) ? document.keys : undefined
  if (!Array.isArray(members)) throw new Error('not a JWK set: no "keys" list')
  const keys = new Map<string, VerificationKey>()
  const skipped: string[] = []
  for (const member of members as unknown[]) {
    if (!isObject(member)) throw new Error('not a JWK set: a key that is no object')
    // Whoever publishes a secret has lost it: no key of that set can be trusted.
    if (member.kty === 'oct' || SECRET_MEMBERS.some((name) => Object.hasOwn(member, name))) {
      throw new Error('the JWK set holds a private or symmetric key')
    }
    const key = usableKey(member, previous)
    if (typeof key === 'string') {
      skipped.push(key)
    } else if (keys.has(key.kid)) {
      throw new Error('the JWK set holds two keys with the same kid')
    } else {
      keys.set(key.kid, key)
    }
  }
  if (keys.size === 0) {
    throw new Error(`the JWK set holds no usable key${skipped.map((why) => `; ${why}`).join('')}`)
  }
  return { keys, skipped }
}

/** What a key must be for RS256, in the order in which it is judged. */
const REQUIREMENTS: readonly (readonly [member: string, accepted: readonly unknown[]])[] = [
  ['kty', ['RSA']],
  ['use', ['sig', undefined]],
  ['alg', ['RS256', undefined]],
]

/** The key, or why it is not usable. */
function usableKey(
  jwk: Jwk,
  previous: ReadonlyMap<string, VerificationKey> | undefined,
): VerificationKey | string {
  const { kid, n: modulus, e: exponent } = jwk
  if (typeof kid !== 'string' || kid === '') return 'a key without kid'
  const name = `key ${kid.slice(0, LONGEST_KID_SHOWN)}`
  for (const [member, accepted] of REQUIREMENTS) {
    if (!accepted.includes(jwk[member])) return `${name}: ${member} is not ${String(accepted[0])}`
  }
  if (typeof modulus !== 'string' || typeof exponent !== 'string') return `${name}: no n or e`
  const known = previous?.get(kid)
  if (known?.modulus === modulus && known.exponent === exponent) return known
  const publicKey = importedKey(modulus, exponent)
  if (publicKey === null)
    return `${name}: not an RSA key of ${SHORTEST_MODULUS} bits or more, with exponent 65537 or more`
  return { kid, publicKey, modulus, exponent }
}

function importedKey(n: string, e: string): KeyObject | null {
  const key = importRsaKey({ kty: 'RSA', n, e })
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails as RsaKeyDetails
  return modulusLength < SHORTEST_MODULUS || publicExponent < SMALLEST_EXPONENT ? null : key
}

/** Every RSA key has them. */
type RsaKeyDetails = Required<Pick<AsymmetricKeyDetails, 'modulusLength' | 'publicExponent'>>

function isObject(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
