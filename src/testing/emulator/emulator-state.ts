/** The state that the endpoints of an emulator share. */
import { randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import type { TestIssuer } from '../issuer/test-issuer.ts'
import { parseTestIdToken, type TestIdToken } from '../issuer/test-issuer-options.ts'
import { AccessTokens } from './access-tokens.ts'
import { WorkloadIdentityPool } from './workload-identity-pool.ts'
import type { EmulatorSettings } from './emulator-options.ts'
import { Faults } from './faults.ts'
import type { LoggedRequest } from './logged-request.ts'
import { RequestLog } from './request-log.ts'
import { ServiceAccounts } from '../issuer/service-accounts.ts'
import { TokenCreation } from './token-creation.ts'
import { Logins } from './users.ts'

/** The state of an emulator, in one place. */
export class EmulatorState {
  /** Its base URL; empty until it listens. */
  url = ''
  readonly settings: EmulatorSettings
  readonly clock: () => Date
  readonly issuer: TestIssuer
  readonly accounts = new ServiceAccounts()
  readonly logins = new Logins()
  readonly tokenCreation = new TokenCreation()
  readonly faults = new Faults()
  readonly accessTokens: AccessTokens
  readonly pool: WorkloadIdentityPool
  readonly log: RequestLog
  readonly #onSigningKey: ((key: JWK) => void)[] = []

  /**
   * @param issuer - signs the ID tokens, on the same clock
   * @param answered - is called with each request that has an answer
   */
  constructor(
    settings: EmulatorSettings,
    issuer: TestIssuer,
    answered: (request: LoggedRequest) => void,
  ) {
    this.settings = settings
    this.clock = settings.clock
    this.issuer = issuer
    this.accessTokens = new AccessTokens(this.now)
    this.pool = new WorkloadIdentityPool(settings.projectNumber, randomBytes(32), this.now)
    this.log = new RequestLog(settings.clock, answered)
    this.accounts.find(settings.serviceAccount)
  }

  /** Seconds since the epoch. */
  readonly now = (): number => Math.floor(this.settings.clock().getTime() / 1000)

  /** A signed token, with the configured lifetime unless `expiresIn` is given. */
  readonly idToken = async (token: TestIdToken): Promise<string> => {
    const { expiresIn = this.settings.idTokenLifetime } = parseTestIdToken(token)
    return this.issuer.idToken({ ...token, expiresIn })
  }

  /** Calls back with the signing key, now and after each change. */
  onSigningKey(callback: (key: JWK) => void): void {
    this.#onSigningKey.push(callback)
    callback(this.issuer.key)
  }

  /** Like `TestIssuer.rotateKeys`. */
  async rotateKeys(options?: { keepOld?: boolean }): Promise<void> {
    await this.issuer.rotateKeys(options)
    for (const callback of this.#onSigningKey) callback(this.issuer.key)
  }
}
