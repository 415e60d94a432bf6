/** Tokens as Google makes them, in a file that every process of the bench reads. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestIdToken, type TestIssuer } from 'fastify-google-id-token/testing'
import { AUDIENCE } from './contender.ts'

/** The service account that sends good tokens. */
export const CALLER = 'login@shop-prod.iam.gserviceaccount.com'

/** Kinds of tokens: what becomes of them, and whether each comes more than once. */
export const KINDS = {
  repeated: { outcome: 'accepted', comesAgain: true },
  'in turn': { outcome: 'accepted', comesAgain: true },
  once: { outcome: 'accepted', comesAgain: false },
  garbage: { outcome: 'refused', comesAgain: false },
  'unknown kid': { outcome: 'refused', comesAgain: false },
  'wrong signature': { outcome: 'refused', comesAgain: false },
  'wrong audience': { outcome: 'refused', comesAgain: false },
  expired: { outcome: 'refused', comesAgain: false },
} as const

/** A row of `KINDS`. */
export type Kind = keyof typeof KINDS

/** Tokens by kind. */
export type TokenSets = Readonly<Record<Kind, readonly string[]>>

/** Makes all of them: one that is repeated, 1,000 in turn, 4,000 seen once, and bad ones. */
export async function makeTokens(issuer: TestIssuer): Promise<TokenSets> {
  const good = await signed(issuer, 5_000, {})
  const once = good.slice(1_000)
  // Enough of each that what a verifier does once, or a few times, does not count.
  const some = once.slice(0, 2_000)
  return {
    repeated: good.slice(0, 1),
    'in turn': good.slice(0, 1_000),
    once,
    garbage: some.map((token, i) => `${i}${token.replaceAll('.', '')}`),
    // More, because a verifier that has seen all of them is replaced by one that first waits for
    // its fetches.
    'unknown kid': [...once, ...once, ...once].map(withUnknownKid),
    'wrong signature': some.map(withAnotherSignature),
    'wrong audience': await signed(issuer, some.length, { audience: 'https://profiles.run.app' }),
    expired: await signed(issuer, some.length, { expiresIn: -7200 }),
  }
}

/** Tokens that differ in one claim, and are of one length. */
async function signed(
  issuer: TestIssuer,
  count: number,
  variation: Partial<TestIdToken>,
): Promise<string[]> {
  const tokens: string[] = []
  for (let i = 0; i < count; i += 1) {
    const subject = `1${String(i).padStart(20, '0')}`
    tokens.push(await issuer.idToken({ audience: AUDIENCE, email: CALLER, subject, ...variation }))
  }
  return tokens
}

/** Another one for each token; nobody gets as far as its signature. */
function withUnknownKid(token: string, i: number): string {
  const header = JSON.stringify({ alg: 'RS256', kid: `bogus-${i}`, typ: 'JWT' })
  return Buffer.from(header).toString('base64url') + token.slice(token.indexOf('.'))
}

/** The first byte is another one; its length and its spelling are right. */
function withAnotherSignature(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

/** A file of tokens, for as long as the bench runs. */
export async function withTokenFile<Result>(
  tokens: TokenSets,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    const path = join(directory, 'tokens.json')
    await writeFile(path, JSON.stringify(tokens))
    return await use(path)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Reads what `withTokenFile` wrote. */
export async function readTokens(path: string): Promise<TokenSets> {
  return JSON.parse(await readFile(path, 'utf8')) as TokenSets
}

/**
 * Copies, as an HTTP server makes a new string of each header: a string that is used again keeps
 * its hash, and a library that looks it up in a map looks far faster than it is.
 */
export function freshCopies(tokens: readonly string[]): string[] {
  return tokens.map((token) => Buffer.from(token, 'latin1').toString('latin1'))
}
