import type { LoadAnswer, LoadQuestion } from '../processes/load-process.ts'
import type { ServeQuestion } from '../processes/serve-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import type { BenchResults, HttpFigure, Measured } from '../result.ts'
import { SERVERS, paths, type NamedServer } from '../server.ts'
import { keysUri, type BenchSetup } from './bench-setup.ts'
import { interleaved, type Candidate } from './rounds.ts'

/** Many and short: a machine that others use as well is slow for seconds at a time. */
const ROUNDS = 25
const SECONDS = 0.5
/** Seconds in which 10,000 tokens come more than twice. */
const UNTIL_ALL_ARE_KNOWN = 5

type Loader = Subject<LoadQuestion, LoadAnswer>

/** Over HTTP: what a guarded request costs beside one that is not guarded. */
export function measureHttp(setup: BenchSetup): Promise<BenchResults['http']> {
  return withServers(setup, SERVERS, async (running, loader) => {
    const measure = (tokens: number): Promise<Measured<HttpFigure>[]> => {
      setup.tell(`http, ${tokens} tokens`)
      return interleaved(
        running.map((server) => candidate(loader, server, { tokens })),
        ROUNDS,
      )
    }
    return { one: await measure(1), thousand: await measure(1_000) }
  })
}

/** After the name of what grows, where nothing is guarded. */
export const OF_BARE = ', of bare Fastify'

const GROWING: Readonly<Record<string, { file: string; counts: readonly number[] }>> = {
  tokens: { file: 'fastify-this-library', counts: [1, 100, 10_000] },
  [`tokens${OF_BARE}`]: { file: 'fastify-bare', counts: [1, 100, 10_000] },
  callers: { file: 'fastify-many-callers', counts: [1, 100, 10_000] },
  routes: { file: 'fastify-many-routes', counts: [1, 100, 1_000] },
  [`routes${OF_BARE}`]: { file: 'fastify-many-open-routes', counts: [1, 100, 1_000] },
}

/** Over HTTP: what a request costs where there is more and more of something. */
export async function measureGrowth(setup: BenchSetup): Promise<BenchResults['growth']> {
  const results: Record<string, Measured<'cpu'>[]> = {}
  for (const [what, { file, counts }] of Object.entries(GROWING)) {
    setup.tell(`growth, ${what}`)
    const servers = counts.map((count) => ({ file, name: String(count), count }))
    results[what] = await withServers(setup, servers, async (running, loader) => {
      const loads = running.map((server) => ({
        server,
        load: {
          tokens: what.startsWith('tokens') ? server.count : 1,
          paths: paths(what.startsWith('routes') ? server.count : 1),
        },
      }))
      for (const { server, load } of loads) {
        await loader.ask({ port: server.port, seconds: UNTIL_ALL_ARE_KNOWN, ...load })
      }
      const all = await interleaved(
        loads.map(({ server, load }) => candidate(loader, server, load)),
        ROUNDS,
      )
      return all.map(({ name, rounds: { cpu } }) => ({ name, rounds: { cpu } }))
    })
  }
  return results
}

type Served = Pick<NamedServer, 'file' | 'name' | 'takesPem'> & { readonly count?: number }

interface Running<Server> {
  readonly server: Server
  readonly subject: Subject<ServeQuestion, number>
  readonly port: number
}

async function withServers<Server extends Served, Result>(
  setup: BenchSetup,
  servers: readonly Server[],
  use: (running: readonly (Server & Running<Server>)[], loader: Loader) => Promise<Result>,
): Promise<Result> {
  const loader: Loader = startSubject('load-process', [setup.tokenFile])
  const subjects = servers.map((server) => ({
    ...server,
    server,
    subject: startSubject<ServeQuestion, number>('serve-process', [
      server.file,
      keysUri(setup, server),
      String(server.count ?? 1),
    ]),
  }))
  try {
    const running = await Promise.all(
      subjects.map(async (one) => ({ ...one, port: await one.subject.ask({ tell: 'port' }) })),
    )
    return await use(running, loader)
  } finally {
    await Promise.all([loader, ...subjects.map(({ subject }) => subject)].map((one) => one.end()))
  }
}

function candidate(
  loader: Loader,
  { server, subject, port }: Running<Served>,
  load: Pick<LoadQuestion, 'tokens' | 'paths'>,
): Candidate<HttpFigure> {
  return {
    name: server.name,
    measure: async () => {
      const before = await subject.ask({ tell: 'cpu' })
      const { requests, p99, seconds } = await loader.ask({ port, seconds: SECONDS, ...load })
      const cpu = (await subject.ask({ tell: 'cpu' })) - before
      return { cpu: cpu / requests, perSecond: requests / seconds, p99 }
    },
  }
}
