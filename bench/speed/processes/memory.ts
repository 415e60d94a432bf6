/**
 * Prints the bytes of heap for each token that is kept; runs with --expose-gc. Arguments: the
 * contender's file, the keys' URI, the tokens' file.
 */
import type { Contender } from '../contender.ts'
import { freshCopies, readTokens } from '../tokens.ts'

const [file = '', jwksUri = '', tokenFile = ''] = process.argv.slice(2)
// All of them stay until the end: what is freed in between would be taken off what is kept.
const sets = await readTokens(tokenFile)
const { contender } = (await import(`../contenders/${file}.js`)) as { contender: Contender }
const { verify } = await contender.create(jwksUri)
const half = sets.once.length / 2
// By then all else that the process keeps is there, and what it does not is gone.
await keep(sets.once.slice(0, half))
const before = await heap()
await keep(sets.once.slice(half))
const after = await heap()
process.stdout.write(JSON.stringify({ bytes: (after - before) / (sets.once.length - half) }))
process.exit()

/** A verifier that keeps a token from its second use on has them all by the second pass. */
async function keep(tokens: readonly string[]): Promise<void> {
  for (let pass = 0; pass < 2; pass += 1) {
    for (const token of tokens) await verify(freshCopies([token]).join(''))
  }
}

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
