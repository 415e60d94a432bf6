/**
 * Prints the milliseconds by which a guard with a list on each route makes an app start later, and
 * the time that the list of all takes. Argument: how many routes.
 */
import fastify from 'fastify'
import googleIdToken from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import { CALLER } from '../tokens.ts'

const count = Number(process.argv[2])

async function started(isGuarded: boolean): Promise<number> {
  const start = performance.now()
  const app = fastify()
  if (isGuarded) await app.register(googleIdToken, { audience: AUDIENCE })
  for (let i = 0; i < count; i += 1) {
    const config = isGuarded ? { idToken: { allowedCallers: [CALLER] } } : {}
    app.get(`/route-${i}`, { config }, () => ({}))
  }
  await app.ready()
  if (isGuarded && app.listAllowedCallers().length < count) throw new Error('routes are missing')
  const milliseconds = performance.now() - start
  await app.close()
  return milliseconds
}

await started(false)
const open = await started(false)
const guarded = await started(true)
process.stdout.write(JSON.stringify({ milliseconds: guarded - open }))
