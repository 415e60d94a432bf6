/**
 * Requests with a request in their body, and one byte more or less at every place: whatever the front
 * end makes of them, only what it has let in arrives.
 */
import { connect } from 'node:net'
import t from 'tap'
import { bearer, frontOf, stripped } from '../helpers/cloud-run-front.ts'
import { partsOf, startRecorder } from '../helpers/desync-recorder.ts'
import { setEnvironment } from '../helpers/environment.ts'
import { responsesIn } from '../helpers/whole-responses.ts'

t.setTimeout(300_000)

const { target, token, smuggled } = partsOf(0)
const head = `POST ${target} HTTP/1.1\r\nHost: a\r\n${token}`

/** Where a byte is put or taken: not in the tokens, which only make the request longer. */
const SEEDS = [
  { before: head, seed: `Content-Length: ${smuggled.length}\r\n\r\nGET /smuggled` },
  {
    before: head,
    seed: `Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\nGET /smuggled`,
  },
  {
    before: `${head}Upgrade: h2c\r\nConnection: upgrade\r\n`,
    seed: `Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\nGET /smuggled`,
  },
]
const BYTES = ['\r\n', '\r', '\n', '\0', ':', '\t', ' ', ',', ';', '0', 'x', '\x85', '']

const PAYLOADS = SEEDS.flatMap(({ before, seed }) =>
  [...seed].flatMap((_, at) =>
    BYTES.map((byte) => {
      const after = seed.slice(byte === '' ? at + 1 : at) + smuggled.slice('GET /smuggled'.length)
      const chunkEnd = seed.includes('chunked') ? '\r\n0\r\n\r\n' : ''
      return before + seed.slice(0, at) + byte + after + chunkEnd
    }),
  ),
)

/** Milliseconds in which a server answers, unless it waits for more. */
const QUIET = 500

/** Sends the bytes and, once they are answered or no answer comes, something that is no request. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    const breakOff = (): void => void socket.end('\0'.repeat(8192))
    const timer = setTimeout(breakOff, QUIET)
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      timer.refresh()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(received)
    })
  })
}

t.test(`${PAYLOADS.length} requests with one byte more or less`, async (t) => {
  setEnvironment(t, { K_SERVICE: 'profiles' })
  const service = await startRecorder(t, { trustRemovedSignature: true })
  const front = await frontOf(t, service.url)
  const port = Number(new URL(front.url).port)
  const statuses = new Map<number, number>()
  for (let at = 0; at < PAYLOADS.length; at += 200) {
    const received = await Promise.all(
      PAYLOADS.slice(at, at + 200).map((bytes) => exchange(port, bytes)),
    )
    for (const status of received.flatMap(responsesIn)) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  t.strictSame([...new Set(service.heads.map(({ line }) => line))], [`POST ${target}`])
  t.strictSame([...new Set(service.heads.map(({ token }) => token))], [stripped(bearer)])
  t.notMatch(service.refused.join(), /HPE_(?!INVALID_EOF_STATE)/, 'what it passes on is HTTP')
  t.comment(Object.fromEntries(statuses))
  // A slow machine answers fewer of them in that time.
  for (const status of [200, 400]) t.ok(statuses.has(status), `${status}`)
})
