/** A process whose app has a route before @fastify/autoload loads the plugin. `early`: with the remedy. */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import Fastify from 'fastify'

// As autoload's documentation has it for other loaders of TypeScript than the ones it knows.
process.env.FASTIFY_AUTOLOAD_TYPESCRIPT = '1'
const [, , when] = process.argv
if (when === 'early') await import('../../../src/index.ts')

const warned = once(process, 'warning')
const app = Fastify({ logger: false })
app.get('/early', () => ({}))
app.register(autoload, { dir: fileURLToPath(new URL('autoloaded', import.meta.url)) })
await app.ready()
const { statusCode } = await app.inject('/early')
const listed = app.listAllowedCallers().map(({ url }) => url)
const warning =
  when === 'early' ? null : ((await warned) as [Error]).map(({ name, message }) => [name, message])
process.stdout.write(JSON.stringify({ statusCode, listed, warning }))
