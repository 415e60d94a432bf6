/** From here on, `import('google-auth-library')` is version 11, in src too. */
import { register } from 'node:module'

register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (specifier, context, next) =>
      next(specifier === 'google-auth-library' ? 'google-auth-library-11' : specifier, context)
  `)}`,
)
