import { setTimeout as sleep } from 'node:timers/promises'
import { createTestIssuer, type TestIssuer } from '../../src/testing.ts'
import { AUDIENCE, ISSUER, type Contender, type Life, type Verifying } from './contender.ts'
import { FAULTS, type Fault } from './faults.ts'
import { startKeyServer, type Answer, type KeyServer } from './key-server.ts'
import {
  coarseCount,
  coarseStall,
  LONGEST_OUTAGE,
  type ContenderResult,
  type FaultOutcome,
  type Survival,
} from './result.ts'

/** A contender's verifier, and the endpoint that it has its keys from. */
interface Scene {
  readonly issuer: TestIssuer
  readonly server: KeyServer
  readonly verifying: Verifying
}

interface Wait {
  /** `null`: no answer. */
  readonly passed: boolean | null
  readonly milliseconds: number
}

const PATIENCE = 10_000

/** Measures all that is known of one contender but its packages. */
export async function measure(
  contender: Contender,
): Promise<Omit<ContenderResult, 'versions' | 'unhandled'>> {
  await within(contender, 'default', verifies)
  const [faults, outage] = await Promise.all([
    survivals(contender),
    within(contender, 'short', outageOutlived),
  ])
  return {
    name: contender.name,
    setup: contender.setup,
    faults,
    outage,
    longestStall: await within(contender, 'short', longestStall),
    fetchesAtFirst: await within(contender, 'default', fetchesAtFirst),
    fetchesForBogusKids: await within(contender, 'default', fetchesForBogusKids),
    fetchesForBogusKidsInOutage: await within(contender, 'short', fetchesForBogusKidsInOutage),
    newKeyAtOnce: await within(contender, 'default', newKeyAtOnce),
    newKeyAfterBogusKid: await within(contender, 'default', newKeyAfterBogusKid),
    withdrawnKeyRefused: await within(contender, 'short', withdrawnKeyRefused),
  }
}

/** Sets a scene of its own for one measure, and clears it away. */
async function within<Measured>(
  { keys, create }: Contender,
  life: Life,
  measured: (scene: Scene) => Promise<Measured>,
): Promise<Measured> {
  const issuer = await createTestIssuer({ issuer: ISSUER, key: await firstKey })
  const server = await startKeyServer(issuer.jwks, keys.write)
  if (life === 'short') server.answer = shortLived
  const verifying = create(server.uri, life)
  try {
    return await measured({ issuer, server, verifying })
  } finally {
    verifying.close()
    await server.close()
  }
}

/** Making a key takes longer than most measures. */
const firstKey = createTestIssuer().then(({ key }) => key)

const shortLived: Answer = (response, document) => {
  response.writeHead(200, { 'cache-control': 'max-age=1' }).end(document)
}

/** A library that accepts everything, or nothing, would have a good result. */
async function verifies({ issuer, verifying }: Scene): Promise<void> {
  const { key } = await createTestIssuer()
  const forged = await issuer.idToken({ audience: AUDIENCE, key })
  const forAnother = await issuer.idToken({ audience: 'https://another.run.app' })
  const answers = [await validToken(issuer), forged, forAnother, await bogusToken(issuer)].map(
    async (token) => (await waitFor(verifying, token)).passed,
  )
  const [valid, ...bad] = await Promise.all(answers)
  if (valid !== true || bad.some((passed) => passed !== false)) {
    throw new Error('it does not verify tokens, so there is nothing to measure')
  }
}

function survivals(contender: Contender): Promise<FaultOutcome[]> {
  const outcomes = FAULTS.map(async (fault): Promise<FaultOutcome> => ({
    fault: fault.name,
    survival:
      fault.ofJwkSet && !contender.keys.isJwkSet
        ? 'n/a'
        : await within(contender, 'short', (scene) => survival(scene, fault)),
  }))
  return Promise.all(outcomes)
}

const REQUESTS = 20

/** Requests one after another, while the fault lasts. */
async function survival({ issuer, server, verifying }: Scene, fault: Fault): Promise<Survival> {
  const token = await validToken(issuer)
  await verifying.verify(token)
  await verifying.expire()
  await fault.begin(server)
  for (let sent = 0; sent < REQUESTS; sent += 1) {
    const { passed } = await waitFor(verifying, token)
    if (passed !== true) return passed === null ? 'hangs' : 'no'
    await sleep(20)
  }
  return 'yes'
}

async function outageOutlived({ issuer, server, verifying }: Scene): Promise<number> {
  const token = await validToken(issuer)
  await verifying.verify(token)
  await server.lose()
  for (let lifetimes = 0; lifetimes < LONGEST_OUTAGE; lifetimes += 1) {
    await verifying.expire()
    if ((await waitFor(verifying, token)).passed !== true) return lifetimes
  }
  return LONGEST_OUTAGE
}

async function longestStall({ issuer, server, verifying }: Scene): Promise<number | null> {
  const token = await validToken(issuer)
  await verifying.verify(token)
  await verifying.expire()
  server.answer = () => undefined
  const waits: Promise<Wait>[] = []
  for (let sent = 0; sent < REQUESTS; sent += 1) {
    waits.push(waitFor(verifying, token))
    await sleep(20)
  }
  const all = await Promise.all(waits)
  if (all.some(({ passed }) => passed === null)) return null
  return coarseStall(Math.max(...all.map(({ milliseconds }) => milliseconds)))
}

async function fetchesAtFirst({ issuer, server, verifying }: Scene): Promise<number> {
  const token = await validToken(issuer)
  await Promise.all(Array.from({ length: 1_000 }, () => verifying.verify(token)))
  return coarseCount(server.requests)
}

async function fetchesForBogusKids(scene: Scene): Promise<number> {
  await scene.verifying.verify(await validToken(scene.issuer))
  scene.verifying.rest()
  return fetchesForFlood(scene)
}

async function fetchesForBogusKidsInOutage(scene: Scene): Promise<number> {
  await scene.verifying.verify(await validToken(scene.issuer))
  await scene.verifying.expire()
  scene.server.answer = (response) => response.writeHead(500).end()
  return fetchesForFlood(scene)
}

const FLOOD = { batches: 100, tokens: 100, everyMilliseconds: 20 }

async function fetchesForFlood({ issuer, server, verifying }: Scene): Promise<number> {
  const [, payload, signature] = (await validToken(issuer)).split('.')
  const fetchesBefore = server.requests
  const flood: Promise<Wait>[] = []
  for (let batch = 0; batch < FLOOD.batches; batch += 1) {
    for (let n = 0; n < FLOOD.tokens; n += 1) {
      const header = JSON.stringify({ alg: 'RS256', kid: `bogus-${batch}-${n}`, typ: 'JWT' })
      const token = [Buffer.from(header).toString('base64url'), payload, signature].join('.')
      flood.push(waitFor(verifying, token))
    }
    await sleep(FLOOD.everyMilliseconds)
  }
  await Promise.all(flood)
  return coarseCount(server.requests - fetchesBefore)
}

async function newKeyAtOnce({ issuer, server, verifying }: Scene): Promise<boolean> {
  await verifying.verify(await validToken(issuer))
  verifying.rest()
  await issuer.rotateKeys()
  server.jwks = issuer.jwks
  return (await waitFor(verifying, await validToken(issuer))).passed === true
}

async function newKeyAfterBogusKid({ issuer, server, verifying }: Scene): Promise<boolean> {
  await verifying.verify(await validToken(issuer))
  verifying.rest()
  await waitFor(verifying, await bogusToken(issuer))
  await issuer.rotateKeys()
  server.jwks = issuer.jwks
  return (await waitFor(verifying, await validToken(issuer))).passed === true
}

async function withdrawnKeyRefused({ issuer, server, verifying }: Scene): Promise<boolean> {
  const old = await validToken(issuer)
  const { kid } = issuer.key
  await issuer.rotateKeys()
  server.jwks = issuer.jwks
  const current = await validToken(issuer)
  await verifying.verify(old)
  await verifying.verify(current)
  server.jwks = { keys: issuer.jwks.keys.filter((key) => key.kid !== kid) }
  await verifying.expire()
  // These may pass still: they set the refresh off.
  await Promise.all([current, old].map((token) => waitFor(verifying, token)))
  await sleep(200)
  return (await waitFor(verifying, old)).passed === false
}

/** For as long as Google's own tokens may be valid, less some. */
function validToken(issuer: TestIssuer): Promise<string> {
  return issuer.idToken({ audience: AUDIENCE, expiresIn: 80_000 })
}

function bogusToken(issuer: TestIssuer): Promise<string> {
  return issuer.idToken({ audience: AUDIENCE, expiresIn: 80_000, header: { kid: 'bogus' } })
}

async function waitFor({ verify }: Verifying, token: string): Promise<Wait> {
  const start = performance.now()
  const patience = new AbortController()
  const passed = await Promise.race([
    verify(token).then(
      () => true,
      () => false,
    ),
    sleep(PATIENCE, null, { signal: patience.signal }).catch(() => null),
  ])
  patience.abort()
  return { passed, milliseconds: performance.now() - start }
}
