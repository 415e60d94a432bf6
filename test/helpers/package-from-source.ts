/**
 * From here on, the package that examples import by its name is the one in src. Import them after
 * this, with `import()`.
 */
import { register } from 'node:module'

const src = new URL('../../src/', import.meta.url).href

register(
  `data:text/javascript,${encodeURIComponent(`
    const entries = {
      '': 'index.ts',
      '/client': 'client.ts',
      '/client/fastify': 'client-fastify.ts',
      '/express': 'express.ts',
      '/testing': 'testing.ts',
      '/verifier': 'verifier.ts',
    }
    const name = 'fastify-google-id-token'
    export const resolve = (specifier, context, next) => {
      const entry = specifier.startsWith(name) ? entries[specifier.slice(name.length)] : undefined
      return next(entry === undefined ? specifier : '${src}' + entry, context)
    }
  `)}`,
)
