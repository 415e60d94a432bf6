/** Prints the bytes of heap that each token leaves that is kept; runs with --expose-gc. Arguments: the contender's file, the keys' URI, the tokens' file. */
import type { Contender } from '../contender.ts'
import { freshCopies, readTokens } from '../tokens.ts'

const [file = '', jwksUri = '', tokenFile = ''] = process.argv.slice(2)
const { once: tokens } = await readTokens(tokenFile)
const { contender } = (await import(`../contenders/${file}.js`)) as { contender: Contender }
const { verify } = await contender.create(jwksUri)
for (let i = 0; i < 100; i += 1) await verify(tokens[0] ?? '')
const before = await heap()
// A verifier that keeps a token from its second use on has them all by the second pass.
for (let pass = 0; pass < 2; pass += 1) {
  for (const token of tokens) await verify(freshCopies([token]).join(''))
}
process.stdout.write(JSON.stringify({ bytes: ((await heap()) - before) / tokens.length }))
process.exit()

/** Bytes, after what is no longer used is gone. */
async function heap(): Promise<number> {
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}
