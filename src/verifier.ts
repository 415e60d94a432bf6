/**
 * Verify Google-signed ID tokens without a framework.
 *
 * @module fastify-google-id-token/verifier
 */
export { IdTokenError } from './errors/id-token-error.ts'
export { redactPaths } from './telemetry/redact-paths.ts'
export { createVerifier } from './verifier/create-verifier.ts'
export type { AllowedCaller } from './policy/allowed-callers.ts'
export type { Caller } from './policy/caller.ts'
export type { KeySetStats } from './keys/key-set.ts'
export type { KeyStore, StoredKeys } from './keys/key-store.ts'
export type { RoutePolicy } from './policy/access-policy.ts'
export type { Logger } from './checks/injected.ts'
export type { TokenSource } from './errors/recognised-mistakes.ts'
export type { IapOptions } from './verifier/iap-options.ts'
export type { JwkSet } from './verifier/key-options.ts'
export type { VerifierOptions } from './verifier/verifier-options.ts'
export type { TokenHeader } from './request/deciding-header.ts'
export type { HeadersLike, RequestHeaders, RequestLike } from './request/request-like.ts'
export type {
  KeysFailedMessage,
  KeysRefreshedMessage,
  TokenRejectedMessage,
  TokenVerifiedMessage,
} from './telemetry/diagnostics-channels.ts'
export type {
  Attributes,
  Counter,
  GaugeCallback,
  Histogram,
  InstrumentOptions,
  Meter,
  ObservableGauge,
} from './telemetry/meter.ts'
export type { IdTokenClaims } from './token/claims.ts'
export type { IdTokenErrorDetail } from './errors/id-token-error.ts'
export type { Check, IdTokenErrorCode } from './errors/outcomes.ts'
export type { Verifier, VerifierStats } from './verifier/create-verifier.ts'
export type { ExplainedCheck, Explanation } from './verifier/explain.ts'
