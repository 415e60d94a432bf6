/** Offers of another protocol, which Cloud Run ignores unless it is WebSocket. */
import { execFile, spawnSync } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { UpgradeOffers } from '../../../src/testing/cloud-run/upgrade-offers.ts'
import { exchangeRaw, passing } from '../../helpers/cloud-run-front.ts'

/** Answers with the path and the body; to a WebSocket handshake with what comes after it. */
async function echo(t: Test) {
  const { service, front, port } = await passing(t, (request, response) => {
    void text(request).then((body) => response.end(`[${String(request.url)} ${body}]`))
  })
  service.server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    service.requests.push(request)
    socket.write('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
  })
  return { service, front, port }
}

const H2C = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n'
const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** Requests with an offer, by what frames their body; the body itself looks like an offer. */
const OFFERS: Readonly<Record<string, (path: string) => string>> = {
  'no body': (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${H2C}\r\n`,
  'an empty body': (path) => `POST ${path} HTTP/1.1\r\nHost: a\r\n${H2C}Content-Length: 0\r\n\r\n`,
  'Content-Length': (path) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\n${H2C}Content-Length: 16\r\n\r\nUpgrade: h2c\r\n\r\n`,
  chunked: (path) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\n${H2C}Transfer-Encoding: chunked\r\n\r\n` +
    '00a;x=y\r\nUpgrade: h\r\n6\r\n2c\r\n\r\n\r\n0\r\nX-Sum: 1\r\nUpgrade: x\r\n\r\n',
}

const BODY = 'Upgrade: h2c\r\n\r\n'

t.test('a request with an offer is served without it, however it comes', async (t) => {
  for (const [what, offer] of Object.entries(OFFERS)) {
    const { service, port } = await echo(t)
    const body = what === 'Content-Length' || what === 'chunked' ? BODY : ''
    const paths = ['/1', '/2', '/3']
    const answers = paths.map((path) => `[${path} ${body}]`)
    const piped = await exchangeRaw(port, paths.map(offer).join(''), /\[\/3 [^\]]*\]/)
    t.strictSame(piped.match(/\[[^\]]*\]/g), answers, `${what}, in one packet`)
    const plain = 'GET /plain HTTP/1.1\r\nHost: a\r\n\r\n'
    const mixed = await exchangeRaw(port, offer('/1') + plain + offer('/2'), /\[\/2 [^\]]*\]/)
    t.strictSame(mixed.match(/\[\/\w+/g), ['[/1', '[/plain', '[/2'], `${what}, among others`)
    const last = await exchangeRaw(port, `${offer('/1')}${HANDSHAKE}hello`, /hello$/)
    t.match(last, /^HTTP\/1\.1 200 OK[^]*HTTP\/1\.1 101 Yes[^]*hello$/, `${what}, a WebSocket next`)
    const offered = service.requests.filter(({ url }) => url !== '/ws')
    t.notMatch(offered.flatMap(({ rawHeaders }) => rawHeaders).join(), /h2c|http2|upgrade/i, what)
    t.match(service.requests.at(-1)?.headers, { upgrade: 'websocket' })
  }
})

t.test('the bytes may come one by one', (t) => {
  const sent = [...Object.values(OFFERS), ...Object.values(OFFERS)].map((offer) => offer('/'))
  const stream = Buffer.from(sent.join('') + HANDSHAKE + String(OFFERS.chunked?.('/')))
  const read = (parts: readonly Buffer[]): string => {
    const offers = new UpgradeOffers()
    const passed = parts.map((part) => offers.remove(part))
    return Buffer.concat([...passed, offers.end()]).toString()
  }
  const bytes = Array.from(stream, (_, i) => stream.subarray(i, i + 1))
  t.equal(read(bytes), read([stream]))
  const expected = stream
    .toString()
    .replaceAll('\r\nHost: a\r\nUpgrade: h2c\r\n', '\r\nHost: a\r\n')
  const handshake = expected.indexOf(HANDSHAKE)
  t.equal(read([stream]).slice(0, handshake), expected.slice(0, handshake))
  t.equal(
    read([stream]).slice(handshake),
    stream.toString().slice(stream.indexOf(HANDSHAKE)),
    'what follows a handshake is no HTTP',
  )
  t.end()
})

t.test('what is no ordinary request is left to Node, unread', (t) => {
  const offer = String(OFFERS['no body']?.('/'))
  const rows: [what: string, sent: string][] = [
    ['another start', `\x16\x03\x01${offer}`],
    ['a line end before a request', `\r\n${offer}`],
    ['a line that ends without CR', offer.replace('HTTP/1.1\r\n', 'HTTP/1.1\n')],
    ['no line with CR', offer.replaceAll('\r\n', '\n')],
    ['a header that goes on', offer.replace('Host: a\r\n', 'Host: a\r\nX: 1\r\n 2\r\n')],
    ['no number', `POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n${offer}`],
    ['two lengths', `POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n${offer}`],
    ['another coding', `POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n${offer}`],
    ['no chunk size', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n${offer}`],
    ['no lines', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'1'.repeat(70_000)}`],
    ['a tunnel', `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n${offer}`],
    ['a head without an end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(70_000)}`],
  ]
  for (const [what, sent] of rows) {
    t.equal(new UpgradeOffers().remove(Buffer.from(sent)).toString(), sent, what)
  }
  const offers = new UpgradeOffers()
  t.equal(offers.remove(Buffer.from('GET / HTTP/1.1\r\nHo')).length, 0, 'waits for the rest')
  t.equal(offers.end().toString(), 'GET / HTTP/1.1\r\nHo', 'which never comes')
  t.end()
})

t.test('an offer that is left to Node is refused, and ends the connection', async (t) => {
  const { service, port } = await echo(t)
  const refused = await exchangeRaw(port, `\r\n${String(OFFERS.chunked?.('/'))}`)
  t.match(refused, /^HTTP\/1\.1 400 Bad Request\r\n[^]*connection: close\r\n/i)
  t.equal(service.requests.length, 0)
})

t.test('a head that ends in the middle is refused', async (t) => {
  const { port } = await echo(t)
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.end('GET / HTTP/1.1\r\nHo')
  t.match(await text(socket), /^HTTP\/1\.1 400 Bad Request\r\n/)
})

t.test("Java's HttpClient", { skip: !hasJava() && 'there is no java' }, async (t) => {
  const { service, front } = await echo(t)
  const file = fileURLToPath(new URL('../../helpers/processes/Post.java', import.meta.url))
  const { stdout } = await promisify(execFile)('java', [file, `${front.url}/`, '5'], {
    maxBuffer: 10 ** 8,
    timeout: 60_000,
  })
  const lines = stdout.trim().split('\n')
  const expected = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map((i) => `[/${i} ${'x'.repeat(i * 50_000)}]`)
  t.strictSame(lines, [...expected, '[/get ]'])
  t.notMatch(service.requests.flatMap(({ rawHeaders }) => rawHeaders).join(), /h2c|http2/i)
})

function hasJava(): boolean {
  return spawnSync('java', ['-version']).status === 0
}
