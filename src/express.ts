/**
 * Decide which Google Cloud service may call which: Google-signed ID tokens in Express 4 and 5.
 *
 * @packageDocumentation
 */
export { googleIdToken, googleIdToken as default } from './express/middleware.ts'
export { IdTokenError } from './verdict/id-token-error.ts'
export { redactPaths } from './telemetry/redact-paths.ts'
export type { GoogleIdToken, Middleware } from './express/middleware.ts'
export type * from './public-types.ts'
