import type { LoadQuestion } from '../processes/load-process.ts'
import type { ServeAnswer } from '../processes/serve-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import { OURS } from '../contender.ts'
import { pooled } from '../figures.ts'
import type { HttpFigure, Measured } from '../result.ts'
import { DIGEST_HOOK, SERVERS, WITH_AUDIT_LOG, type NamedServer } from '../server.ts'
import { interleaved, type Candidate } from './rounds.ts'
import { keysUri, type Setup } from './setup.ts'

/** Short: a machine that others use as well is slow for seconds at a time. */
const MILLISECONDS = 250
/**
 * Below what saturates a server. A client that a server keeps busy never sleeps, so that nobody has
 * to wake it, and each write costs the server less.
 */
const KNOWN_PER_SECOND = 5_000
/** Below what saturates the slowest. */
const ALL_PER_SECOND = 1_500
/**
 * Requests before the first that counts. V8 compiles what is called often on threads of its own, whose
 * CPU is the server's: the more code a server has, the longer it lasts.
 */
const KNOWN_WARM_UP = 40_000
const ALL_WARM_UP = 5_000
/**
 * How often each server is started anew. V8 decides in each process by itself what it compiles and
 * where objects lie: two processes of one and the same server differ by up to a fifth.
 */
const KNOWN_STARTS = { quick: 4, full: 9 }
const ROUNDS_A_START = { quick: 7, full: 23 }

type Loader = Subject<LoadQuestion, number>
type Serving = Subject<object, ServeAnswer>

/** What a known token costs a server, beside the digest and with the audit log: often, for the differences are small. */
export async function measureKnown(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  const compared = [OURS, DIGEST_HOOK, WITH_AUDIT_LOG.name]
  const servers = [...SERVERS, WITH_AUDIT_LOG].filter(({ name }) => compared.includes(name))
  const turns = { perSecond: KNOWN_PER_SECOND, warmUp: KNOWN_WARM_UP }
  const extent = setup.isQuick ? 'quick' : 'full'
  let measured: readonly Measured<HttpFigure>[] = []
  for (let starts = 0; starts < KNOWN_STARTS[extent]; starts += 1) {
    const ofStart = await measure(setup, servers, turns, ROUNDS_A_START[extent])
    measured = starts === 0 ? ofStart : pooled(measured, ofStart)
  }
  return measured
}

/** What a known token costs any server. */
export function measureAll(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  const turns = { perSecond: ALL_PER_SECOND, warmUp: ALL_WARM_UP }
  return measure(setup, SERVERS, turns, setup.isQuick ? 5 : 31)
}

interface Turns {
  readonly perSecond: number
  /** Requests. */
  readonly warmUp: number
}

async function measure(
  setup: Setup,
  servers: readonly NamedServer[],
  { perSecond, warmUp }: Turns,
  rounds: number,
): Promise<readonly Measured<HttpFigure>[]> {
  const loader: Loader = startSubject('load-process', [setup.tokenFile])
  const running = servers.map(({ file, name, takesPem }) => {
    const uri = keysUri(setup, takesPem ? { takesPem } : {})
    return { name, subject: startSubject<object, ServeAnswer>('serve-process', [file, uri]) }
  })
  try {
    for (const { subject } of running) {
      const { port } = await subject.ask({})
      await loader.ask({ port, perSecond: warmUp, milliseconds: 1_000 })
    }
    const candidates = running.map(({ name, subject }) =>
      candidate(loader, name, subject, perSecond),
    )
    return await interleaved(candidates, rounds, 3)
  } finally {
    await Promise.all([loader, ...running.map(({ subject }) => subject)].map((one) => one.end()))
  }
}

function candidate(
  loader: Loader,
  name: string,
  server: Serving,
  perSecond: number,
): Candidate<HttpFigure> {
  return {
    name,
    measure: async () => {
      const { port, ...before } = await server.ask({})
      const requests = await loader.ask({ port, perSecond, milliseconds: MILLISECONDS })
      const after = await server.ask({})
      return {
        user: (after.user - before.user) / requests,
        system: (after.system - before.system) / requests,
      }
    },
  }
}
