/**
 * Decide which Google Cloud service may call which: Google-signed ID tokens in Express 4 and 5.
 *
 * @module fastify-google-id-token/express
 */
export { googleIdToken, googleIdToken as default } from './adapters/express/middleware.ts'
export { IdTokenError } from './errors/id-token-error.ts'
export { redactPaths } from './telemetry/redact-paths.ts'
export type { GoogleIdToken, Middleware } from './adapters/express/middleware.ts'
export type { AuditLogOptions, GuardOptions } from './adapters/guard-options.ts'
export type { Span, TracingOptions } from './telemetry/mark-span.ts'
export type { GuardPolicy } from './policy/access-policy.ts'
export type * from './verifier.ts'
