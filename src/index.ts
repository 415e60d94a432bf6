/**
 * Decide which Google Cloud service may call which: Google-signed ID tokens in Fastify.
 *
 * @packageDocumentation
 */
import { plugin } from './fastify/plugin.ts'
import { IdTokenError } from './verdict/id-token-error.ts'
import { redactPaths } from './telemetry/redact-paths.ts'
import { createVerifier } from './verifier/create-verifier.ts'

// `require()` of this package yields the plugin itself (Node takes the export of this name), so
// what ESM imports by name hangs on it.
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
export type { GoogleIdTokenOptions } from './fastify/plugin.ts'
export type { RouteAccess } from './fastify/types.ts'
export type * from './public-types.ts'
