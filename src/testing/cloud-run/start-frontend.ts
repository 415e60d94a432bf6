/** Cloud Run's front end on loopback. */
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'
import { createVerifier, type Verifier } from '../../verifier/create-verifier.ts'
import { baseUrl } from '../emulator/listen.ts'
import { answer } from './answer.ts'
import { ClientConnection } from './client-connection.ts'
import {
  parseFrontendOptions,
  type CloudRunFrontendOptions,
  type FrontendSettings,
} from './frontend-options.ts'
import { areFieldNames } from './end-to-end-headers.ts'
import { iamGate, OPEN_GATE, type Gate } from './gate.ts'
import { iapGate } from './iap-gate.ts'
import { answerAsIap } from './iap-refusal.ts'
import { MAX_HEADER_SIZE, passOn, type Exchange } from './pass-on.ts'
import { serviceHeaders } from './service-headers.ts'
import { unsupported } from './unsupported-requests.ts'
import { isWebSocket, join, responseOn, WEBSOCKET_HEADERS, type Side } from './websocket.ts'

/** The front end of one Cloud Run service. */
export interface CloudRunFrontend {
  /** The base URL, without a slash at its end. */
  readonly url: string
  /** Stops, and ends every connection, websockets too. */
  readonly close: () => Promise<void>
}

/** The target of requests, and who may send them. */
interface Service {
  readonly target: URL
  readonly gate: Gate
}

/**
 * Starts a front end like that of Cloud Run: it checks who may invoke the service, removes the
 * signature of the token, and passes everything else on, in both directions.
 *
 * @throws TypeError for a wrong option
 */
export async function startCloudRunFrontend(
  options: CloudRunFrontendOptions,
): Promise<CloudRunFrontend> {
  const settings = parseFrontendOptions(options)
  const { target, host, port } = settings
  const gate = gateFor(settings, options)
  const http = serverFor({ target, gate })
  const connections = new Set<Socket>()
  // Like Node's HTTP server: a client may end its side before it has its answer.
  const server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    http.emit('connection', new ClientConnection(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  let closed: Promise<void> | undefined
  return {
    url: baseUrl(host, (server.address() as AddressInfo).port),
    close: () => {
      gate.close()
      return (closed ??= close(server, connections))
    },
  }
}

/** IAP, or else the IAM check, or else nothing. */
function gateFor({ iap, invokers }: FrontendSettings, options: CloudRunFrontendOptions): Gate {
  const { jwksUri, allowHttpHosts, jwks, clock } = options
  const verifierFor = (audience: unknown): Verifier =>
    createVerifier({ audience: audience as string, jwksUri, allowHttpHosts, jwks, clock })
  if (iap !== null) return iapGate(verifierFor(iap.clientId), iap)
  return invokers === null ? OPEN_GATE : iamGate(verifierFor(options.audience), invokers)
}

async function close(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  server.close()
  for (const connection of connections) connection.destroy()
  await once(server, 'close')
}

/** Reads the requests of connections that it is given. */
function serverFor(service: Service): HttpServer {
  // No time limit for a request, because streams may take long.
  const server = createServer({ maxHeaderSize: MAX_HEADER_SIZE, requestTimeout: 0 })
  // If headers were dropped from the list, it would not be clear which one decides.
  server.maxHeadersCount = 0
  const latest = new WeakMap<Socket, ServerResponse>()
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    latest.set(request.socket, response)
    const start = (): void => void serve({ request, response }, service)
    // Pipelined requests are handled one after the other.
    if (response.socket === null) response.once('socket', start)
    else start()
  }
  server.on('request', onRequest)
  server.on('checkContinue', onRequest)
  const onLastRequest = (request: IncomingMessage, _socket: unknown, head: Buffer): void => {
    const { socket } = request
    const start = (): void => {
      serveLast({ request, socket, head }, service)
    }
    const before = latest.get(socket)
    if (before === undefined || before.writableFinished) start()
    else before.once('finish', start)
  }
  server.on('upgrade', onLastRequest)
  server.on('connect', onLastRequest)
  return server
}

/** Serves a request after which Node reads no more HTTP from the connection. */
function serveLast(
  { request, socket, head }: Side & { readonly request: IncomingMessage },
  service: Service,
): void {
  const exchange = { request, response: responseOn(socket, request) }
  if (unsupported(request) !== null || isWebSocket(request)) {
    void serve(exchange, service, { socket, head })
  } else {
    // An offer in an unusual head, which was not removed.
    exchange.response.writeHead(400).end()
  }
}

/** @param client - of a request that is to become a websocket */
async function serve(exchange: Exchange, { target, gate }: Service, client?: Side): Promise<void> {
  const { request, response } = exchange
  if (!areFieldNames(request.rawHeaders)) {
    // Where this request ends is not certain either.
    response.writeHead(400, { connection: 'close' }).end()
    return
  }
  const admitted = unsupported(request) ?? (await gate.admit(request))
  if (response.destroyed) return
  if (typeof admitted === 'number') {
    answer(request, response, admitted)
    return
  }
  if ('status' in admitted) {
    answerAsIap(request, response, admitted)
    return
  }
  const headers = serviceHeaders(request, admitted, target)
  if (client === undefined) {
    passOn(exchange, { target, headers })
    return
  }
  passOn(
    exchange,
    { target, headers: [...headers, ...WEBSOCKET_HEADERS] },
    (agreed, socket, head) => {
      response.detachSocket(client.socket)
      join(client, { socket, head }, agreed)
    },
  )
}
