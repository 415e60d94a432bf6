/** The command line where packages that it may need are not installed. */
import { register } from 'node:module'

register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) => {
      if (!['fastify', 'google-auth-library'].includes(specifier)) return next(specifier, context)
      throw Object.assign(new Error("Cannot find package '" + specifier + "' imported from " + context.parentURL), {
        code: 'ERR_MODULE_NOT_FOUND',
      })
    }
  `)}`,
)
await import('../../../src/cli.ts')
