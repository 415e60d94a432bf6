/**
 * Decide which Google Cloud service may call which: Google-signed ID tokens in Fastify.
 *
 * @module fastify-google-id-token
 */
import { plugin } from './adapters/fastify/plugin.ts'
import { IdTokenError } from './errors/id-token-error.ts'
import { redactPaths } from './telemetry/redact-paths.ts'
import { createVerifier } from './verifier/create-verifier.ts'

/**
 * `require()` of this package yields the plugin itself (Node takes the export of this name), so
 * what ESM imports by name is a property of it here.
 *
 * @hidden
 */
const requirable = Object.assign(plugin, {
  default: plugin,
  googleIdToken: plugin,
  createVerifier,
  IdTokenError,
  redactPaths,
})

export {
  createVerifier,
  IdTokenError,
  plugin as default,
  plugin as googleIdToken,
  redactPaths,
  requirable as 'module.exports',
}
export type { GoogleIdTokenOptions } from './adapters/fastify/plugin.ts'
export type { AuditLogOptions, GuardOptions } from './adapters/guard-options.ts'
export type { Span, TracingOptions } from './telemetry/mark-span.ts'
export type { RouteAccess } from './adapters/fastify/types.ts'
export type { GuardPolicy } from './policy/access-policy.ts'
export type * from './verifier.ts'
