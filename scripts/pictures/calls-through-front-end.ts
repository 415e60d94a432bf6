/** Calls through Cloud Run's front end, with the headers that each side got. */
import diagnostics from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import Fastify from 'fastify'
import { GoogleAuth } from 'google-auth-library'
import { createServiceClient, type TokenHeaders } from '../../src/client.ts'
import googleIdToken from '../../src/index.ts'
import { startCloudRunFrontend, startGoogleEmulator } from '../../src/testing.ts'

export const AUDIENCE = 'https://user-profiles-abc123-uc.a.run.app'
const LOGIN = 'login@shop-prod.iam.gserviceaccount.com'
const PATH = '/profiles/7'
export const HEADERS = ['X-Serverless-Authorization', 'Authorization'] as const

/** A call, as it was seen. No text of it holds a token. */
export interface SeenCall {
  /** `GET /profiles/7`. */
  readonly request: string
  readonly atFrontEnd: readonly SeenHeader[]
  readonly atService: readonly SeenHeader[]
  readonly status: number
  /** Who called and which header was verified, or the code of the refusal. */
  readonly answer: { readonly email?: string; readonly header?: string; readonly code?: string }
}

/** A header with a token. */
export interface SeenHeader {
  readonly name: string
  /** The token, with the names of its segments in the place of those that Google gave. */
  readonly token: string
}

/** Calls user-profiles as login, once for each choice of headers, where the IAM check is on. */
export async function callsThroughFrontEnd(choices: readonly TokenHeaders[]): Promise<SeenCall[]> {
  // After a 401 the client calls again if Google has another token. It has none: its time stands still.
  const now = new Date()
  const google = await startGoogleEmulator({ serviceAccount: LOGIN, clock: () => now })
  Object.assign(process.env, google.env)
  const { jwksUri } = google
  const app = Fastify()
  await app.register(googleIdToken, { audience: AUDIENCE, jwksUri, allowedCallers: [LOGIN] })
  app.get('/profiles/:id', ({ caller: { email, header } }) => ({ email, header }))
  const front = await startCloudRunFrontend({
    target: await app.listen({ host: '127.0.0.1', port: 0 }),
    audience: AUDIENCE,
    invokers: [`serviceAccount:${LOGIN}`],
    jwksUri,
  })
  const calls: SeenCall[] = []
  for (const choice of choices) calls.push(await callWith(choice, front.url))
  for (const one of [front, app, google]) await one.close()
  return calls
}

async function callWith(tokenHeaders: TokenHeaders, url: string): Promise<SeenCall> {
  // Credentials of its own: a client shares its tokens with all that have the same ones.
  const auth = new GoogleAuth()
  const client = createServiceClient({ url, audience: AUDIENCE, tokenHeaders, auth })
  const issued = await client.idToken()
  const { requests, stop } = recordRequests()
  const response = await client.fetch(PATH)
  stop()
  const [atFrontEnd, atService, ...others] = requests.filter((request) => request.url === PATH)
  if (atFrontEnd === undefined || atService === undefined || others.length > 0) {
    throw new Error('the call was not seen once at the front end and once at the service')
  }
  return {
    request: `${String(atService.method)} ${PATH}`,
    atFrontEnd: tokensIn(atFrontEnd, issued),
    atService: tokensIn(atService, issued),
    status: response.status,
    answer: (await response.json()) as SeenCall['answer'],
  }
}

/** The requests to the servers of this process, as node:http got them, in their order. */
function recordRequests(): { requests: IncomingMessage[]; stop: () => void } {
  const requests: IncomingMessage[] = []
  const take = (message: unknown): void => {
    requests.push((message as { request: IncomingMessage }).request)
  }
  diagnostics.subscribe('http.server.request.start', take)
  return { requests, stop: () => diagnostics.unsubscribe('http.server.request.start', take) }
}

function tokensIn({ headers }: IncomingMessage, issued: string): SeenHeader[] {
  return HEADERS.flatMap((name) => {
    const value = headers[name.toLowerCase()]
    return value === undefined ? [] : [{ name, token: withNames(String(value), issued) }]
  })
}

const SEGMENTS = ['header', 'claims', 'signature']

function withNames(value: string, issued: string): string {
  const [scheme, token = ''] = value.split(' ')
  const given = issued.split('.')
  const segments = token
    .split('.')
    .map((segment, i) => (segment === given[i] ? SEGMENTS[i] : segment))
  // What is left of the token is what the front end put into it.
  const shown = segments.join('.')
  if (scheme !== 'Bearer' || /eyJ|[\w-]{40}/.test(shown)) throw new Error('not the token of login')
  return shown
}
