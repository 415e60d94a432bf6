import type { LoadQuestion } from '../processes/load-process.ts'
import type { ServeAnswer } from '../processes/serve-process.ts'
import { startSubject, type Subject } from '../processes/subject.ts'
import { OURS } from '../contender.ts'
import type { HttpFigure, Measured } from '../result.ts'
import { DIGEST_HOOK, SERVERS, type NamedServer } from '../server.ts'
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

type Loader = Subject<LoadQuestion, number>
type Serving = Subject<object, ServeAnswer>

/** What a known token costs a server, beside the digest: often, for the difference is small. */
export function measureKnown(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  const servers = SERVERS.filter(({ name }) => name === OURS || name === DIGEST_HOOK)
  return measure(setup, servers, KNOWN_PER_SECOND, setup.isQuick ? 61 : 201)
}

/** What a known token costs any server. */
export function measureAll(setup: Setup): Promise<readonly Measured<HttpFigure>[]> {
  return measure(setup, SERVERS, ALL_PER_SECOND, setup.isQuick ? 7 : 31)
}

async function measure(
  setup: Setup,
  servers: readonly NamedServer[],
  perSecond: number,
  rounds: number,
): Promise<readonly Measured<HttpFigure>[]> {
  const loader: Loader = startSubject('load-process', [setup.tokenFile])
  const running = servers.map(({ file, name, takesPem }) => {
    const uri = keysUri(setup, takesPem ? { takesPem } : {})
    return { name, subject: startSubject<object, ServeAnswer>('serve-process', [file, uri]) }
  })
  try {
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
