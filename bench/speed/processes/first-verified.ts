/**
 * Verifies one token and prints the milliseconds since the process started. Arguments: the
 * contender's file, the keys' URI, the token.
 */
import type { Contender } from '../contender.ts'

const [file = '', jwksUri = '', token = ''] = process.argv.slice(2)
const { contender } = (await import(`../contenders/${file}.js`)) as { contender: Contender }
const { verify } = await contender.create(jwksUri)
await verify(token)
process.stdout.write(JSON.stringify({ milliseconds: performance.now() }))
process.exit()
