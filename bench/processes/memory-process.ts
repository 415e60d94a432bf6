/** Tells what tokens leave behind in the heap; runs with --expose-gc. Argument: the tokens' file. */
import { createVerifier } from 'fastify-google-id-token'
import { createTestIssuer } from 'fastify-google-id-token/testing'
import { AUDIENCE, type Contender } from '../contender.ts'
import { freshCopies, readTokens, signed } from '../tokens.ts'
import { answerQuestions } from './subject.ts'

/** Heap for each token that a contender caches, or heap after more and more tokens. */
export type MemoryQuestion =
  | { readonly contender: string; readonly jwksUri: string }
  | { readonly distinct: number; readonly every: number }

const [tokenFile = ''] = process.argv.slice(2)

answerQuestions(async (question: MemoryQuestion) =>
  'contender' in question
    ? [await bytesPerToken(question.contender, question.jwksUri)]
    : heapAfter(question.distinct, question.every),
)

async function bytesPerToken(file: string, jwksUri: string): Promise<number> {
  const { once: tokens } = await readTokens(tokenFile)
  const { contender } = (await import(`../contenders/${file}.js`)) as { contender: Contender }
  const verifier = await contender.create(jwksUri)
  const verify = (token: string): unknown => verifier.verify(token as never)
  for (let i = 0; i < 100; i += 1) await verify(tokens[0] ?? '')
  const before = await heap()
  // Whoever keeps a token from its second use on has them all by the second pass.
  for (let pass = 0; pass < 2; pass += 1) {
    for (const token of tokens) await verify(freshCopies([token]).join(''))
  }
  return ((await heap()) - before) / tokens.length
}

/** Each token comes twice, so that it is kept, and until another needs its place. */
async function heapAfter(distinct: number, every: number): Promise<number[]> {
  const issuer = await createTestIssuer()
  const { verifyAnyCallerSync } = createVerifier({ audience: AUDIENCE, jwks: issuer.jwks })
  const heaps: number[] = []
  for (let done = 0; done < distinct; done += BATCH) {
    const offset = done
    const batch = await Promise.all(
      Array.from({ length: BATCH }, (_, i) => signed(issuer, 1, { subject: subject(offset + i) })),
    )
    for (const token of batch.flat()) {
      verifyAnyCallerSync(token)
      verifyAnyCallerSync(token)
    }
    if ((done + BATCH) % every === 0) heaps.push(await heap())
  }
  return heaps
}

const BATCH = 1_000

function subject(n: number): string {
  return `1${String(n).padStart(20, '0')}`
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
