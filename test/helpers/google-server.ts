import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { decodeJwt } from 'jose'
import type { Test } from 'tap'
import { createTestIssuer } from '../../src/testing.ts'
import { deferred } from './waiting.ts'
import { testKey } from './issuer.ts'

/** The endpoints that google-auth-library calls for ID tokens. */
export type Endpoint =
  'metadata' | 'token' | 'sts' | 'generateAccessToken' | 'generateIdToken' | 'subject'

/** An answer in the place of the right one; it gets the secrets that the request held. */
export type Fault = (secrets: readonly string[]) => {
  readonly status: number
  readonly body: unknown
}

/** The little of Google that gives out ID tokens, on loopback. */
export interface GoogleServer {
  readonly origin: string
  readonly host: string
  readonly issuer: Awaited<ReturnType<typeof createTestIssuer>>
  /** How often an endpoint was asked, by its name. */
  readonly count: (endpoint: Endpoint) => number
  /** Every token that was sent to it or given out by it. */
  readonly secrets: readonly string[]
  /** Who may get ID tokens of whom: `federated` or an email, then the target. */
  readonly allow: (caller: string, target: string) => void
  /** Answers of one endpoint wait until the function that it returns is called. */
  readonly hold: (endpoint: Endpoint) => () => void
  readonly fail: (endpoint: Endpoint, fault: Fault | null) => void
  /** Seconds that tokens live from now on; 3600 at first. */
  lifetime: number
  readonly close: () => Promise<void>
}

export const NODE_EMAIL = 'node@shop-prod.iam.gserviceaccount.com'

interface Exchange {
  readonly request: IncomingMessage
  readonly url: URL
  readonly body: string
}

interface Answered {
  readonly status?: number
  readonly body: unknown
}

/** @param clock - the time of its tokens */
export async function startGoogle(t: Test, clock = () => new Date()): Promise<GoogleServer> {
  const issuer = await createTestIssuer({ clock, key: testKey })
  const counts = new Map<Endpoint, number>()
  const faults = new Map<Endpoint, Fault>()
  const gates = new Map<Endpoint, Promise<void>>()
  const permissions = new Set<string>()
  const secrets: string[] = []
  let tokens = 0
  const accessTokens = new Map<string, string>()

  const secret = (value: string): string => {
    secrets.push(value)
    return value
  }
  const idToken = async (
    audience: string,
    email: string | undefined,
    subject?: string,
  ): Promise<string> =>
    secret(
      await issuer.idToken({
        audience,
        email,
        subject,
        expiresIn: google.lifetime,
        claims: { number: (tokens += 1) },
      }),
    )
  const accessToken = (owner: string): string => {
    const token = secret(`ya29.d.${randomBytes(60).toString('base64url')}`)
    accessTokens.set(token, owner)
    return token
  }
  const bearer = ({ request }: Exchange): string => {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '')
    if (token !== '') secrets.push(token)
    return token
  }

  const endpoints: Record<Endpoint, (exchange: Exchange) => Promise<Answered> | Answered> = {
    async metadata({ url, request }) {
      if (request.headers['metadata-flavor'] !== 'Google') return { status: 403, body: 'Missing' }
      if (!url.pathname.endsWith('/identity')) return { body: 'ok' }
      const audience = url.searchParams.get('audience')
      if (audience === null || audience === '') {
        return { status: 400, body: 'non-empty audience parameter required' }
      }
      const full = url.searchParams.get('format') === 'full'
      return { body: await idToken(audience, full ? NODE_EMAIL : undefined) }
    },
    async token({ body }) {
      const form = new URLSearchParams(body)
      if (form.get('grant_type') === 'refresh_token') {
        secret(form.get('refresh_token') ?? '')
        const target = form.get('target_audience')
        if (target === null)
          return { body: { access_token: accessToken('user'), expires_in: 3600 } }
        return { body: { id_token: await idToken(target, undefined, '117000000000000000001') } }
      }
      const assertion = secret(form.get('assertion') ?? '')
      const { iss = '', target_audience: target, scope } = decodeJwt(assertion)
      if (typeof target === 'string') return { body: { id_token: await idToken(target, iss) } }
      if (typeof scope !== 'string') return { status: 400, body: { error: 'invalid_scope' } }
      return { body: { access_token: accessToken(iss), expires_in: 3600 } }
    },
    sts({ body }) {
      secret(new URLSearchParams(body).get('subject_token') ?? '')
      return { body: { access_token: accessToken('federated'), expires_in: 3599 } }
    },
    generateAccessToken(exchange) {
      const target = targetOf(exchange)
      bearer(exchange)
      const expireTime = new Date(Date.now() + 3_600_000).toISOString()
      return { body: { accessToken: accessToken(target), expireTime } }
    },
    async generateIdToken(exchange) {
      const target = targetOf(exchange)
      const caller = accessTokens.get(bearer(exchange))
      if (!permissions.has(`${String(caller)} ${target}`)) {
        const message = `Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).`
        return { status: 403, body: { error: { code: 403, message, status: 'PERMISSION_DENIED' } } }
      }
      const { audience, includeEmail } = JSON.parse(exchange.body) as Record<string, unknown>
      const email = includeEmail === true ? target : undefined
      return { body: { token: await idToken(String(audience), email) } }
    },
    subject: () => ({ body: secret(`subject-${randomBytes(24).toString('hex')}`) }),
  }

  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://google.test')
      const endpoint = endpointOf(url)
      const exchange = { request, url, body: await text(request) }
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
      const secretsBefore = secrets.length
      const right = await endpoints[endpoint](exchange)
      await gates.get(endpoint)
      const fault = faults.get(endpoint)
      answer(response, fault === undefined ? right : fault(secrets.slice(secretsBefore)))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  const google: GoogleServer = {
    host,
    origin: `http://${host}`,
    issuer,
    count: (endpoint) => counts.get(endpoint) ?? 0,
    secrets,
    allow: (caller, target) => permissions.add(`${caller} ${target}`),
    hold(endpoint) {
      const { promise, resolve } = deferred()
      gates.set(endpoint, promise)
      return () => {
        gates.delete(endpoint)
        resolve()
      }
    },
    fail(endpoint, fault) {
      if (fault === null) faults.delete(endpoint)
      else faults.set(endpoint, fault)
    },
    lifetime: 3600,
    async close() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
  t.teardown(() => google.close())
  return google
}

function endpointOf({ pathname }: URL): Endpoint {
  if (pathname.startsWith('/computeMetadata/')) return 'metadata'
  if (pathname === '/v1/token') return 'sts'
  if (pathname.endsWith(':generateAccessToken')) return 'generateAccessToken'
  if (pathname.endsWith(':generateIdToken')) return 'generateIdToken'
  return pathname === '/subject' ? 'subject' : 'token'
}

function targetOf({ url }: Exchange): string {
  return /serviceAccounts\/([^:]+):/.exec(decodeURIComponent(url.pathname))?.[1] ?? ''
}

function answer(response: ServerResponse, { status = 200, body }: Answered): void {
  const type = typeof body === 'string' ? 'text/html' : 'application/json'
  response.writeHead(status, { 'content-type': type, 'metadata-flavor': 'Google' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** What goes into `clientOptions` so that what google-auth-library sends to fixed URLs comes here. */
export function sentTo({ origin }: { readonly origin: string }): object {
  return {
    transporterOptions: {
      fetchImplementation: (url: URL, init: RequestInit) =>
        fetch(new URL(url.pathname + url.search, origin), {
          ...init,
          duplex: 'half',
        }),
    },
  }
}

/** A key that is good for nothing but tests. */
export const testOnlyKey = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey

/** The content of a service account's key file. */
export function serviceAccountKey(email: string): Record<string, string> {
  return {
    type: 'service_account',
    client_email: email,
    private_key: testOnlyKey,
    private_key_id: 'test-only',
  }
}

/** The content of a configuration of workload identity federation. */
export function federation(
  { origin }: GoogleServer,
  options: { impersonate?: string } = {},
): Record<string, unknown> {
  const accounts = `${origin}/v1/projects/-/serviceAccounts`
  return {
    type: 'external_account',
    audience:
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ci',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${origin}/v1/token`,
    cloud_resource_manager_url: `${origin}/v1/projects/`,
    credential_source: { url: `${origin}/subject` },
    ...(options.impersonate !== undefined && {
      service_account_impersonation_url: `${accounts}/${options.impersonate}:generateAccessToken`,
    }),
  }
}
