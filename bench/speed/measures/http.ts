import type { LoadQuestion } from '../processes/load-process.ts'
import type { ServeAnswer } from '../processes/serve-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import { OURS } from '../contender.ts'
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

type Loader = Subject<LoadQuestion, number>
type Serving = Subject<object, ServeAnswer>

/** What a known token costs a server, beside the digest and with the audit log: often, for the differences are small. */
export function measureKnown(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  const all = [...SERVERS, WITH_AUDIT_LOG]
  const compared = [OURS, DIGEST_HOOK, WITH_AUDIT_LOG.name]
  const servers = all.filter(({ name }) => compared.includes(name))
  const turns = { perSecond: KNOWN_PER_SECOND, warmUp: KNOWN_WARM_UP }
  return measure(setup, servers, turns, setup.isQuick ? 45 : 201)
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
