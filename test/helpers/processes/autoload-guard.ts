/** A process whose app has a route before @fastify/autoload loads the plugin. `early`: with the remedy. */
import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import Fastify from 'fastify'

// As autoload's documentation has it for other loaders of TypeScript than the ones it knows.
process.env.FASTIFY_AUTOLOAD_TYPESCRIPT = '1'
const [, , when] = process.argv
if (when === 'early') await import('../../../src/index.ts')

// Other warnings are of Node's own, about what loads TypeScript.
const warnings: string[] = []
process.on('warning', ({ name, message }) => {
  if (name === 'GoogleIdTokenWarning') warnings.push(message)
})
const app = Fastify({ logger: false })
app.get('/early', () => ({}))
app.register(autoload, { dir: fileURLToPath(new URL('autoloaded', import.meta.url)) })
await app.ready()
const { statusCode } = await app.inject('/early')
const listed = app.listAllowedCallers().map(({ url }) => url)
process.stdout.write(JSON.stringify({ statusCode, listed, warnings }))
