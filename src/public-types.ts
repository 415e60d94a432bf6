/** The types that the entries for Fastify and for Express share: Express users have no Fastify. */
export type { AllowedCaller } from './caller/allowed-callers.ts'
export type { Caller } from './caller/caller.ts'
export type { KeySetStats } from './keys/key-set.ts'
export type { KeyStore, StoredKeys } from './keys/key-store.ts'
export type { RoutePolicy } from './options/access-policy.ts'
export type { Logger } from './options/injected.ts'
export type { JwkSet, VerifierOptions } from './options/verifier-options.ts'
export type { TokenHeader } from './request/deciding-header.ts'
export type { HeadersLike, RequestHeaders, RequestLike } from './request/request-like.ts'
export type {
  KeysFailedMessage,
  KeysRefreshedMessage,
  TokenRejectedMessage,
  TokenVerifiedMessage,
} from './telemetry/channels.ts'
export type { Counter, Meter } from './telemetry/meter.ts'
export type { IdTokenClaims } from './token/claims.ts'
export type { IdTokenError, IdTokenErrorDetail } from './verdict/id-token-error.ts'
export type { Check, IdTokenErrorCode } from './verdict/outcomes.ts'
export type { Verifier, VerifierStats } from './verifier/create-verifier.ts'
export type { ExplainedCheck, Explanation } from './verifier/explain.ts'
