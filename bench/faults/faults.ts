import { GOOD_PATH, well, type Answer, type KeyServer } from './key-server.ts'

/** One way in which a key endpoint can go wrong, or only seem to. */
export interface Fault {
  readonly name: string
  /** Whether its answer holds keys that may be used. */
  readonly usable: boolean
  /** Whether it is about JWK sets, so that another form of keys cannot have it. */
  readonly ofJwkSet: boolean
  readonly begin: (server: KeyServer) => void | Promise<void>
  readonly end: (server: KeyServer) => void | Promise<void>
}

interface Jwk {
  readonly kid: string
  /** Of an RSA key. */
  readonly n?: string
  /** Of an EC key. */
  readonly x?: string
}

const FAILED: readonly (readonly [name: string, answer: Answer])[] = [
  ['accepts and hangs', () => undefined],
  ['sends headers and hangs', headersOnly],
  ['drips the body', drip],
  ['resets in mid-body', resetInMidBody],
  ['301 to a good set', redirect],
  ['304 unasked', status(304)],
  ['403', status(403)],
  ['404', status(404)],
  ['429', status(429)],
  ['500', status(500)],
  ['503', status(503)],
  ['204', status(204)],
  ['206 with a good set', statusWithDocument(206)],
  ['500 with a good set', statusWithDocument(500)],
  ['HTML', html],
  ['truncated JSON', (response, document) => response.end(document.slice(0, -20))],
  ['nothing', body('')],
  ['{}', body('{}')],
  ['null', body('null')],
  ['30 MB', thirtyMegabytes],
  ['Content-Length too long', wrongContentLength(100)],
  ['Content-Length too short', wrongContentLength(-100)],
  ['no HTTP at all', (response) => response.socket?.end('220 smtp.example.com ESMTP\r\n')],
]

const FAILED_JWK_SETS: typeof FAILED = [
  ['{"keys":[]}', body('{"keys":[]}')],
  ['{"keys":{}}', body('{"keys":{}}')],
  ['a private key', everyKey((jwk) => ({ ...jwk, d: 'AQAB' }))],
  ['a symmetric key', extraKey({ kty: 'oct', kid: 'symmetric', k: 'c2VjcmV0' })],
  ['duplicate kids', duplicateKids],
  ['wrong kty', everyKey((jwk) => ({ ...jwk, kty: 'OKP' }))],
  ['keys without kid', everyKey((jwk) => ({ ...jwk, kid: undefined }))],
  ['keys for encryption', everyKey((jwk) => ({ ...jwk, use: 'enc' }))],
  ['keys for RS512', everyKey((jwk) => ({ ...jwk, alg: 'RS512' }))],
  [
    'short keys',
    everyKey(({ n, x, ...jwk }) => ({ ...jwk, n: n?.slice(0, 171), x: x?.slice(0, 21) })),
  ],
]

const SERVED: readonly (readonly [name: string, answer: Answer])[] = [
  ['no cache header', cached({})],
  ['max-age=0', cached({ 'cache-control': 'max-age=0' })],
  ['no-store', cached({ 'cache-control': 'no-store' })],
  ['absurd max-age', cached({ 'cache-control': 'max-age=99999999999' })],
  ['negative max-age', cached({ 'cache-control': 'max-age=-1' })],
  ['Age over max-age', cached({ 'cache-control': 'max-age=600', age: '9999' })],
  ['Expires in the past', cached({ expires: 'Thu, 01 Jan 1970 00:00:00 GMT' })],
  ['ETag and 304', etag],
  ['wrong content type', cached({ 'content-type': 'text/html' })],
]

const SERVED_JWK_SETS: typeof FAILED = [
  ['100 keys', hundredKeys],
  ['unusable extra keys', extraKey({ kty: 'EC', kid: 'other', crv: 'P-256', x: '', y: '' })],
]

/** Every fault, those that leave the library without an answer first. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'refuses connections',
    usable: false,
    ofJwkSet: false,
    begin: (server) => server.lose(),
    end: (server) => server.regain(),
  },
  ...answering(FAILED, { usable: false, ofJwkSet: false }),
  ...answering(FAILED_JWK_SETS, { usable: false, ofJwkSet: true }),
  ...answering(SERVED, { usable: true, ofJwkSet: false }),
  ...answering(SERVED_JWK_SETS, { usable: true, ofJwkSet: true }),
]

function answering(
  answers: typeof FAILED,
  kind: Pick<Fault, 'usable' | 'ofJwkSet'>,
): readonly Fault[] {
  return answers.map(([name, answer]) => ({
    ...kind,
    name,
    begin: (server) => {
      server.answer = answer
    },
    end: (server) => {
      server.answer = well
    },
  }))
}

function body(text: string): Answer {
  return (response) => response.end(text)
}

function html(response: Parameters<Answer>[0]): void {
  response.writeHead(200, { 'content-type': 'text/html' })
  response.end('<!doctype html><title>Sign in</title>')
}

function status(code: number): Answer {
  return (response) => response.writeHead(code).end()
}

function statusWithDocument(code: number): Answer {
  return (response, document) => response.writeHead(code).end(document)
}

function cached(headers: Record<string, string>): Answer {
  return (response, document) => response.writeHead(200, headers).end(document)
}

function everyKey(change: (jwk: Jwk) => object): Answer {
  return (response, document) => {
    response.end(JSON.stringify({ keys: parsed(document).map(change) }))
  }
}

function extraKey(jwk: object): Answer {
  return (response, document) => {
    response.end(JSON.stringify({ keys: [jwk, ...parsed(document)] }))
  }
}

function duplicateKids(response: Parameters<Answer>[0], document: string): void {
  const [first, ...rest] = parsed(document)
  response.end(JSON.stringify({ keys: [first, { ...first, n: `${first?.n ?? ''}AQ` }, ...rest] }))
}

function hundredKeys(response: Parameters<Answer>[0], document: string): void {
  const keys = parsed(document)
  const others = Array.from({ length: 100 - keys.length }, (_, i) => ({ ...keys[0], kid: `k${i}` }))
  response.end(JSON.stringify({ keys: [...others, ...keys] }))
}

function parsed(document: string): Jwk[] {
  return (JSON.parse(document) as { keys: Jwk[] }).keys
}

function drip(response: Parameters<Answer>[0], document: string): void {
  response.writeHead(200)
  let at = 0
  const timer = setInterval(() => {
    response.write(document.charAt(at))
    at += 1
  }, 20)
  response.on('close', () => {
    clearInterval(timer)
  })
}

function resetInMidBody(response: Parameters<Answer>[0], document: string): void {
  response.writeHead(200, { 'content-length': Buffer.byteLength(document) })
  response.write(document.slice(0, 40), () => response.socket?.resetAndDestroy())
}

function headersOnly(response: Parameters<Answer>[0]): void {
  response.writeHead(200).flushHeaders()
}

function redirect(response: Parameters<Answer>[0]): void {
  response.writeHead(301, { location: GOOD_PATH }).end()
}

function thirtyMegabytes(response: Parameters<Answer>[0], document: string): void {
  response.writeHead(200)
  const chunk = Buffer.alloc(1024 * 1024, ' ')
  let left = 30
  const send = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1
      if (!response.write(chunk)) {
        response.once('drain', send)
        return
      }
    }
    response.end(document)
  }
  send()
}

function wrongContentLength(by: number): Answer {
  return (response, document) => {
    const length = Buffer.byteLength(document) + by
    // Node would not send it: this goes past its own check.
    response.socket?.end(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${document}`,
    )
  }
}

function etag(...[response, document, request]: Parameters<Answer>): void {
  const headers = { etag: '"keys"', 'cache-control': 'max-age=600' }
  if (request.headers['if-none-match'] === '"keys"') response.writeHead(304, headers).end()
  else response.writeHead(200, headers).end(document)
}
