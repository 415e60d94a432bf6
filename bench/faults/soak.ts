/**
 * `tsx bench/faults/soak.ts`: what this library does over sockets and in real time, for some minutes, where
 * keys rotate, the endpoint fails, and strangers name unknown keys. Prints figures, writes nothing.
 */
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import googleIdToken, { createVerifier, IdTokenError, type Verifier } from '../../src/index.ts'
import { createTestIssuer } from '../../src/testing.ts'
import { AUDIENCE } from './contender.ts'
import { startKeyServer, well, type Answer, type KeyServer } from './key-server.ts'

const issuer = await createTestIssuer()
const [jwk] = issuer.jwks.keys
const email = 'login@shop-prod.iam.gserviceaccount.com'
const logger = { warn: (): void => undefined }
const [, payload = '', signature = ''] = (await tokenOf('first')).split('.')

const failing: Answer = (response) => response.writeHead(500).end()
const hanging: Answer = () => undefined
const halfFailing: Answer = (...exchange) => {
  if (Math.random() < 0.5) failing(...exchange)
  else well(...exchange)
}

function tokenOf(kid: string): Promise<string> {
  return issuer.idToken({ audience: AUDIENCE, email, header: { kid } })
}

/** A token that would pass, had it a signature of a published key. */
function bogusToken(kid: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid })).toString('base64url')
  return [header, payload, signature].join('.')
}

function publish(server: KeyServer, ...kids: string[]): void {
  server.jwks = { keys: kids.map((kid) => ({ ...jwk, kid })) }
}

function verifierOn(server: KeyServer): Verifier {
  publish(server, 'first')
  return createVerifier({ audience: AUDIENCE, jwksUri: server.uri, logger })
}

async function codeOf(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verifyAnyCaller(token)
    return 'accepted'
  } catch (error) {
    if (error instanceof IdTokenError) return error.code
    throw error
  }
}

/** Milliseconds until a token is accepted, asked for every 20. */
async function untilAccepted(verifier: Verifier, token: string): Promise<number> {
  const start = performance.now()
  const accepted = new AbortController()
  while (!accepted.signal.aborted) {
    void codeOf(verifier, token).then((code) => {
      if (code === 'accepted') accepted.abort()
    })
    await sleep(20)
  }
  return performance.now() - start
}

/** Milliseconds from the publication of a key to its use, 25 bogus kids a second going on. */
async function flood(answer: Answer, keys: number): Promise<string> {
  const server = await startKeyServer(issuer.jwks)
  const verifier = verifierOn(server)
  await verifier.ready()
  server.answer = answer
  let sent = 0
  const timer = setInterval(() => {
    void codeOf(verifier, bogusToken(`bogus-${sent}`))
    sent += 1
  }, 40)
  await sleep(5_000)
  const start = performance.now()
  const fetchesBefore = server.requests
  const waits: number[] = []
  for (let n = 0; n < keys; n += 1) {
    const token = await tokenOf(`key-${n}`)
    publish(server, `key-${n}`)
    waits.push(await untilAccepted(verifier, token))
    await sleep(500 * Math.random())
  }
  const seconds = (performance.now() - start) / 1000
  clearInterval(timer)
  verifier.close()
  await server.close()
  const rate = ((server.requests - fetchesBefore) / seconds).toFixed(2)
  return `${described(waits)}; ${rate} fetches a second`
}

/** Milliseconds from the endpoint's return to the first accept, without keys. */
async function recovery(answer: Answer, trials: number): Promise<string> {
  const waits = Array.from({ length: trials }, async (_, trial) => {
    const server = await startKeyServer(issuer.jwks)
    const verifier = verifierOn(server)
    server.answer = answer
    const token = await tokenOf('first')
    const outage = 5_000 + (trial % 10) * 5_000
    for (let passed = 0; passed < outage; passed += 100) {
      void codeOf(verifier, token)
      await sleep(100)
    }
    server.answer = well
    const wait = await untilAccepted(verifier, token)
    verifier.close()
    await server.close()
    return wait
  })
  return described(await Promise.all(waits))
}

/** Keys rotate every 12 s, published 12 s before; 40 % of the fetches fail, 3 % are strangers. */
async function rotation(minutes: number): Promise<string> {
  const server = await startKeyServer(issuer.jwks)
  const verifier = verifierOn(server)
  server.answer = (...exchange) => {
    if (Math.random() < 0.4) failing(...exchange)
    else well(...exchange)
  }
  const counts = new Map<string, number>()
  const asked: Promise<void>[] = []
  const start = performance.now()
  let token = ''
  let current = -1
  for (let n = 0; performance.now() < start + minutes * 60_000; n += 1) {
    const period = Math.floor((performance.now() - start) / 12_000)
    if (period !== current) {
      current = period
      publish(server, ...[-1, 0, 1].map((ahead) => `key-${period + ahead}`))
      token = await tokenOf(`key-${period}`)
    }
    if (Math.random() < 0.03) {
      asked.push(codeOf(verifier, bogusToken(`bogus-${n}`)).then(() => undefined))
    } else {
      asked.push(
        codeOf(verifier, token).then((code) => {
          counts.set(code, (counts.get(code) ?? 0) + 1)
        }),
      )
    }
    await sleep(10)
  }
  await Promise.all(asked)
  verifier.close()
  await server.close()
  return [...counts].map(([code, count]) => `${count} ${code}`).join(', ')
}

/** Milliseconds for `app.close()` while twenty requests wait for a fetch that hangs. */
async function close(keepAlive: boolean): Promise<string> {
  const waits: number[] = []
  for (let trial = 0; trial < 10; trial += 1) {
    const server = await startKeyServer(issuer.jwks)
    server.answer = hanging
    const app = Fastify()
    app.register(googleIdToken, {
      audience: AUDIENCE,
      jwksUri: server.uri,
      allowedCallers: [email],
      logger,
    })
    app.get('/', () => 'ok')
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const agent = new Agent({ keepAlive })
    const headers = { authorization: `Bearer ${await tokenOf('first')}` }
    const answers = Array.from(
      { length: 20 },
      () =>
        new Promise<unknown>((resolve, reject) => {
          get(url, { agent, headers }, (response) => {
            response.resume().on('end', resolve)
          }).on('error', reject)
        }),
    )
    await sleep(300)
    const start = performance.now()
    await app.close()
    waits.push(performance.now() - start)
    await Promise.all(answers)
    agent.destroy()
    await server.close()
  }
  return described(waits)
}

function described(milliseconds: readonly number[]): string {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const [median, max] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return `median ${median?.toFixed(0)} ms, max ${max?.toFixed(0)} ms of ${sorted.length}`
}

const MEASURES: readonly (readonly [measure: string, made: () => Promise<string>])[] = [
  ['close, connections kept', () => close(true)],
  ['close, connections not kept', () => close(false)],
  ['flood, endpoint healthy', () => flood(well, 40)],
  ['flood, endpoint failing half the time', () => flood(halfFailing, 30)],
  ['recovery, endpoint failed', () => recovery(failing, 60)],
  ['recovery, endpoint hung', () => recovery(hanging, 60)],
  ['rotation soak', () => rotation(3)],
]

// The closes first, alone; the rest waits more than it works.
for (const [measure, made] of MEASURES.slice(0, 2)) {
  process.stdout.write(`${measure}: ${await made()}\n`)
}
await Promise.all(
  MEASURES.slice(2).map(async ([measure, made]) => {
    process.stdout.write(`${measure}: ${await made()}\n`)
  }),
)
