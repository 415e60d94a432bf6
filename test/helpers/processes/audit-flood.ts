/**
 * A guarded app that gets a flood of requests: forged tokens with distinct keys and emails, distinct
 * paths, and distinct callers whose tokens are really signed. Prints lines and heap. Argument: the
 * number of requests.
 */
import { Writable } from 'node:stream'
import Fastify from 'fastify'
import googleIdToken from '../../../src/index.ts'
import { issuer } from '../issuer.ts'
import { audience } from '../shop.ts'

/** What the process prints. */
export interface FloodReport {
  /** Requests by status. */
  readonly statuses: Record<number, number>
  readonly auditLines: number
  /** Requests that the lines of the audit log count, after the app has closed. */
  readonly audited: number
  readonly refusalLines: number
  /** Distinct pairs of code and route among them. */
  readonly refusalKinds: number
  /** Lines of neither kind. */
  readonly otherLines: readonly string[]
  readonly minutes: number
  /** Bytes, after a tenth of the requests and after all. */
  readonly heap: readonly number[]
  readonly signedCallers: number
}

const FLOOD = Number(process.argv[2])
const SIGNED_EVERY = 100

let auditLines = 0
let audited = 0
let refusalLines = 0
const otherLines: string[] = []
const refusalKinds = new Set<string>()

interface Line {
  readonly idToken?: { readonly count: number }
  readonly code?: string
  readonly route?: string
  readonly msg: string
}

/** Nothing is kept but numbers. */
const stream = new Writable({
  write(chunk: Buffer, _encoding, done) {
    const { idToken, code, route, msg } = JSON.parse(chunk.toString()) as Line
    if (idToken !== undefined) {
      auditLines += 1
      audited += idToken.count
    } else if (code !== undefined) {
      refusalLines += 1
      refusalKinds.add(`${code} ${route ?? ''}`)
    } else otherLines.push(msg)
    done()
  },
})

const app = Fastify({ logger: { stream }, disableRequestLogging: true })
app.register(googleIdToken, {
  audience,
  allowedCallers: ['*@shop-prod.iam.gserviceaccount.com'],
  jwks: issuer.jwks,
  auditLog: true,
})
app.get('/orders/:id', () => ({}))
await app.ready()

const [header = '', , signature = ''] = (
  await issuer.idToken({ audience, email: 'a@shop-prod.iam.gserviceaccount.com' })
).split('.')

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Everything about it differs from every other one, and none is signed by the issuer. */
function forged(i: number): string {
  const kid = `kid-${i}`
  const claims = encoded({ sub: String(i), email: `robot-${i}@x.iam.gserviceaccount.com` })
  if (i % 3 === 0) return `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${claims}.${signature}`
  return i % 3 === 1 ? `${header}.${claims}.${signature}` : `not-a-token-${i}`
}

async function tokenOf(i: number): Promise<string> {
  if (i % SIGNED_EVERY !== 0) return forged(i)
  const project = i % (2 * SIGNED_EVERY) === 0 ? 'shop-prod' : 'other'
  const subject = String(10 ** 20 + i)
  return issuer.idToken({
    audience,
    email: `robot-${i}@${project}.iam.gserviceaccount.com`,
    subject,
  })
}

function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const started = performance.now()
const statuses: Record<number, number> = {}
const heaps: number[] = []
for (let i = 1; i <= FLOOD; i += 1) {
  const authorization = `Bearer ${await tokenOf(i)}`
  // Of the callers whose tokens are signed, too, half ask for what is not there.
  const url = i % (4 * SIGNED_EVERY) < 2 * SIGNED_EVERY ? `/orders/${i}` : `/nowhere/${i}`
  const { statusCode } = await app.inject({ url, headers: { authorization } })
  statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
  if (i === FLOOD / 10 || i === FLOOD) heaps.push(heap())
}
const minutes = (performance.now() - started) / 60_000
const linesBefore = auditLines
await app.close()

const report: FloodReport = {
  statuses,
  auditLines: linesBefore,
  audited,
  refusalLines,
  refusalKinds: refusalKinds.size,
  otherLines,
  minutes,
  heap: heaps,
  signedCallers: FLOOD / SIGNED_EVERY,
}
process.stdout.write(JSON.stringify(report))
