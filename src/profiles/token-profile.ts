import type { SignatureAlgorithm } from '../keys/signature-algorithms.ts'
import type { Account } from '../policy/caller.ts'
import type { Presentation } from '../request/token-from-headers.ts'
import type { IdTokenClaims } from '../token/claims.ts'
import type { TokenShape } from '../token/parse-token.ts'

/**
 * All that is particular to one kind of token. Options may name other issuers, keys and times; the
 * rest is the same for every service.
 */
export interface TokenProfile extends TokenShape {
  /** Where requests carry the token. */
  readonly presentation: Presentation
  /** The only algorithm: by RFC 8725 section 3.1 the service chooses it, never the token. */
  readonly algorithm: SignatureAlgorithm
  /** Where the keys are published, as a JWK set. */
  readonly jwksUri: string
  /** The accepted `iss`. */
  readonly issuers: readonly string[]
  /** Seconds by which clocks may differ. */
  readonly clockTolerance: number
  /** Seconds: the longest accepted `exp` - `iat`. */
  readonly maxTokenLifetime: number
  /** Whose token it is, from claims that were validated. */
  readonly accountOf: (claims: IdTokenClaims) => Account
}
