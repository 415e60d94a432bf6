/** A service behind a front end of Cloud Run, and connections to that front end. */
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  type Server,
} from 'node:http'
import { connect } from 'node:net'
import type { Test } from 'tap'
import {
  startCloudRunFrontend,
  type CloudRunFrontend,
  type CloudRunFrontendOptions,
} from '../../src/testing.ts'
import { listenOnLoopback } from './listen-on-loopback.ts'
import { audience, login } from './shop.ts'
import { issuer } from './issuer.ts'

export const { jwks } = issuer
export const token = await issuer.idToken({ email: login, audience })
export const bearer = `Bearer ${token}`

/** What Cloud Run writes in the place of a signature. */
export const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE'

/** The token as the container gets it. */
export function stripped(value: string): string {
  return value.replace(/[^.]*$/, REMOVED)
}

/** What is deployed. */
export interface Service {
  readonly server: Server
  readonly url: string
  /** The heads of the requests so far. */
  readonly requests: IncomingMessage[]
}

/** What is deployed: by default it reads the body and says ok. */
export async function serviceOf(
  t: Test,
  listener: RequestListener = (request, response) => {
    request.resume().on('end', () => response.end('ok'))
  },
): Promise<Service> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  return { server, requests, url: await listenOnLoopback(t, server) }
}

export type FrontOptions = Partial<CloudRunFrontendOptions>

/** A front end before the service at this address, which `login` may invoke. */
export async function frontOf(
  t: Test,
  target: string,
  options: FrontOptions = {},
): Promise<CloudRunFrontend> {
  const invokers = [`serviceAccount:${login}`]
  const front = await startCloudRunFrontend({ target, audience, invokers, jwks, ...options })
  t.teardown(() => front.close())
  return front
}

/** A front end and what is deployed behind it. */
export interface DeployedService {
  readonly service: Service
  readonly front: CloudRunFrontend
  /** That of the front end. */
  readonly port: number
}

/** A front end that checks nothing, before a service that answers so: for what passes through. */
export async function passing(t: Test, listener?: RequestListener): Promise<DeployedService> {
  const service = await serviceOf(t, listener)
  // A front end that checks nothing needs neither an audience nor invokers.
  const options = { allowUnauthenticated: true, audience: undefined, invokers: undefined }
  const front = await frontOf(t, service.url, options)
  return { service, front, port: Number(new URL(front.url).port) }
}

/** A request that is being sent. */
export interface SentRequest {
  readonly request: ClientRequest
  readonly response: Promise<IncomingMessage>
}

/** Sends what is given, and takes the response as soon as its head is there. */
export function send(front: CloudRunFrontend, options: RequestOptions = {}): SentRequest {
  const request = httpRequest(front.url, { agent: false, ...options })
  const response = once(request, 'response').then(([message]) => message as IncomingMessage)
  response.catch(() => undefined)
  return { request, response }
}

/** An error page as Cloud Run writes them. */
export function errorPage(status: number, name: string, text: string): string {
  return `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${status} ${name}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${name}</h1>
<h2>${text}</h2>
<h2></h2>
</body></html>
`
}

/** What is answered for a service that does not. */
export const UNAVAILABLE = errorPage(
  503,
  'Server Error',
  'The service you requested is not available yet.<p>Please try again in 30 seconds.',
)

/** Writes these bytes on one connection; what comes back until it ends, or is in there. */
export async function exchangeRaw(port: number, bytes: string, until = /$^/): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1').write(bytes, 'latin1')
  let received = ''
  for await (const chunk of socket) {
    received += String(chunk)
    if (until.test(received)) break
  }
  socket.destroy()
  return received
}
