/**
 * Prints the milliseconds of CPU that a guard with a list on each route adds to the start of an app,
 * and to the list of all. What Fastify itself needs for so many routes is measured in the same
 * process and taken off. Argument: how many routes.
 */
import fastify from 'fastify'
import googleIdToken from 'fastify-google-id-token'
import { AUDIENCE } from '../contender.ts'
import { CALLER } from '../tokens.ts'

const count = Number(process.argv[2])

/** Milliseconds of CPU. */
async function startCost(isGuarded: boolean): Promise<number> {
  const before = process.cpuUsage()
  const app = fastify()
  if (isGuarded) await app.register(googleIdToken, { audience: AUDIENCE })
  for (let i = 0; i < count; i += 1) {
    const config = isGuarded ? { idToken: { allowedCallers: [CALLER] } } : {}
    app.get(`/route-${i}`, { config }, () => ({}))
  }
  await app.ready()
  if (isGuarded && app.listAllowedCallers().length < count) throw new Error('routes are missing')
  const { user, system } = process.cpuUsage(before)
  await app.close()
  return (user + system) / 1000
}

// Fastify's own code is compiled then; that of the guard is not, as in an app that starts.
await startCost(false)
const bare = await startCost(false)
const guarded = await startCost(true)
process.stdout.write(JSON.stringify({ milliseconds: guarded - bare }))
