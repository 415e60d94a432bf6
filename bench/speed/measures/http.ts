import type { LoadQuestion } from '../processes/load-process.ts'
import type { ServeAnswer } from '../processes/serve-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import { OURS } from '../contender.ts'
import type { HttpFigure, Measured } from '../result.ts'
import { DIGEST_HOOK, SERVERS, WITH_AUDIT_LOG, type NamedServer } from '../server.ts'
import { inStarts, interleaved, type Candidate } from './rounds.ts'
import { keysUri, type Setup } from './setup.ts'

/** Short: a machine that others use as well is slow for seconds at a time. */
const MILLISECONDS = 250
/**
 * Below what saturates a server. Otherwise the client never sleeps, so the server need not wake it,
 * and each write costs the server less.
 */
const KNOWN_PER_SECOND = 5_000
/** Below what saturates the slowest. */
const ALL_PER_SECOND = 1_500
/**
 * Requests before the first that counts. V8 compiles what is called often on threads of its own, whose
 * CPU is the server's: the more code a server has, the longer the compiling takes.
 */
const KNOWN_WARM_UP = 40_000
const ALL_WARM_UP = 5_000
/** Before the first turn that counts, at the rate of the turns. */
const WARM_UP_TURNS = 1

type Loader = Subject<LoadQuestion, number>
type Serving = Subject<object, ServeAnswer>

/** What a known token costs a server, beside the digest: often, for the difference is small. */
export function measureKnown(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  return measureOften(setup, [[named(OURS)], [named(DIGEST_HOOK)]], {
    starts: { quick: 6, full: 27 },
    turns: { quick: 3, full: 7 },
  })
}

/** What the audit log costs: two apps of one process, which differ by nothing else. */
export function measureAuditLog(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  return measureOften(setup, [[named(OURS), WITH_AUDIT_LOG]], {
    starts: { quick: 4, full: 12 },
    turns: { quick: 4, full: 12 },
  })
}

/** What a known token costs any server. */
export function measureAll(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  const load = { perSecond: ALL_PER_SECOND, warmUp: ALL_WARM_UP, turns: 1 }
  const processes = SERVERS.map((server) => [server])
  return measure(setup, processes, load, setup.isQuick ? 5 : 31)
}

function named(wanted: string): NamedServer {
  return SERVERS.find(({ name }) => name === wanted) as NamedServer
}

/**
 * Servers that run in one process share what V8 compiles. Of two that are the same, the second to start
 * needs some hundredths more CPU.
 */
type Processes = readonly (readonly NamedServer[])[]

/** How often, with `--quick` and without. */
type Extent = Readonly<Record<'quick' | 'full', number>>

/**
 * Each start is one round: a kernel that finds user time by sampling gives a short turn too much or
 * too little, and all turns together the right amount. Every other start has the servers of each
 * process in the opposite order.
 */
function measureOften(
  setup: Setup,
  processes: Processes,
  { starts, turns }: Readonly<Record<'starts' | 'turns', Extent>>,
): Promise<readonly Measured<HttpFigure>[]> {
  const extent = setup.isQuick ? 'quick' : 'full'
  const load = { perSecond: KNOWN_PER_SECOND, warmUp: KNOWN_WARM_UP, turns: turns[extent] }
  return inStarts(starts[extent], (start) => {
    const inTurn = start % 2 === 0 ? processes : processes.map((servers) => servers.toReversed())
    return measure(setup, inTurn, load, 1)
  })
}

interface Load {
  readonly perSecond: number
  /** Requests. */
  readonly warmUp: number
  /** In a round. */
  readonly turns: number
}

async function measure(
  setup: Setup,
  processes: Processes,
  { perSecond, warmUp, turns }: Load,
  rounds: number,
): Promise<readonly Measured<HttpFigure>[]> {
  const loader: Loader = startSubject('load-process', [setup.tokenFile])
  const running = processes.map((servers) => start(setup, servers))
  try {
    const candidates: Candidate<HttpFigure>[] = []
    for (const { servers, subject } of running) {
      const { ports } = await subject.ask({})
      for (const [at, { name }] of servers.entries()) {
        const port = ports[at] as number
        await loader.ask({ port, perSecond: warmUp, milliseconds: 1_000 })
        candidates.push({ ...candidate(name, subject, loader, { port, perSecond }), turns })
      }
    }
    return await interleaved(candidates, rounds, WARM_UP_TURNS)
  } finally {
    await Promise.all([loader, ...running.map(({ subject }) => subject)].map((one) => one.end()))
  }
}

function start(
  setup: Setup,
  servers: readonly NamedServer[],
): { readonly servers: readonly NamedServer[]; readonly subject: Serving } {
  const takesPem = servers.some((server) => server.takesPem)
  const uri = keysUri(setup, takesPem ? { takesPem } : {})
  return {
    servers,
    subject: startSubject('serve-process', [uri, ...servers.map(({ file }) => file)]),
  }
}

function candidate(
  name: string,
  server: Serving,
  loader: Loader,
  load: Pick<LoadQuestion, 'port' | 'perSecond'>,
): Candidate<HttpFigure> {
  return {
    name,
    measure: async () => {
      const before = await server.ask({})
      const requests = await loader.ask({ ...load, milliseconds: MILLISECONDS })
      const after = await server.ask({})
      const user = (after.user - before.user) / requests
      const system = (after.system - before.system) / requests
      return { user, system, total: user + system }
    },
  }
}
