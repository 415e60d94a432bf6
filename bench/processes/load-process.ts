/** Loads a server from outside, with 50 connections that are kept alive. Argument: the tokens' file. */
import autocannon, { type Client, type Request } from 'autocannon'
import { readTokens } from '../tokens.ts'
import { answerQuestions } from './subject.ts'

/** What to load, with which tokens, for how long. */
export interface LoadQuestion {
  readonly port: number
  /** How many, up to 10,000. */
  readonly tokens: number
  readonly seconds: number
  /** Asked in turn. Default: `/` alone. */
  readonly paths?: readonly string[]
}

/** What came of it. */
export interface LoadAnswer {
  readonly requests: number
  /** Milliseconds. */
  readonly p99: number
  readonly seconds: number
}

const CONNECTIONS = 50

const [tokenFile = ''] = process.argv.slice(2)
const { once: tokens } = await readTokens(tokenFile)

answerQuestions(async (question: LoadQuestion): Promise<LoadAnswer> => {
  const { port, tokens: count, seconds, paths = ['/'] } = question
  const lists = requestLists(tokens.slice(0, count), paths)
  let connection = 0
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    duration: seconds,
    setupClient: (client: Client) => {
      client.setRequests(lists[connection % lists.length] ?? [])
      connection += 1
    },
  })
  if (result.non2xx + result.errors > 0) {
    throw new Error(`${result.non2xx} requests were refused, and ${result.errors} failed`)
  }
  return { requests: result.requests.total, p99: result.latency.p99, seconds: result.duration }
})

/** Every connection has its share of the tokens, and of the paths. */
function requestLists(all: readonly string[], paths: readonly string[]): Request[][] {
  const requests = Math.max(all.length, paths.length)
  const lists: Request[][] = []
  for (let i = 0; i < Math.max(requests, CONNECTIONS); i += 1) {
    const list = (lists[i % CONNECTIONS] ??= [])
    list.push({
      method: 'GET',
      path: paths[i % paths.length] ?? '/',
      headers: { authorization: `Bearer ${all[i % all.length] ?? ''}` },
    })
  }
  return lists
}
