/** What never arrives at a service on Cloud Run, and how the rest does. */
import t, { type Test } from 'tap'
import { bearer, exchangeRaw, frontOf, serviceOf, token } from '../../helpers/cloud-run-front.ts'
import { rawRequest } from '../../helpers/raw-request.ts'

async function checking(t: Test) {
  const service = await serviceOf(t)
  const front = await frontOf(t, service.url)
  return { service, port: Number(new URL(front.url).port) }
}

const authorized = [['Authorization', bearer]] as const

t.test('a reserved path is not found, for every caller', async (t) => {
  const { service, port } = await checking(t)
  const reserved = [
    '/healthz',
    '/healthz?a=b',
    '/eventlog',
    '/_ah/',
    '/_ah/health',
    '/_ah/a/b?c=/d',
    '/health%7A',
    '/%5fah/%0a',
    'http://user-profiles-abc123-uc.a.run.app/healthz',
  ]
  for (const path of reserved) {
    for (const headers of [authorized, []]) {
      const answered = await rawRequest(port, { path, headers })
      t.match(answered, { status: 404, headers: { server: 'Google Frontend' } }, path)
      t.match(answered.body, 'was not found on this server', path)
    }
  }
  t.equal(service.requests.length, 0)

  const ordinary = ['/', '/health', '/healthz/', '/a/healthz', '/quiz', '/HEALTHZ', '/eventlogs']
  ordinary.push('/_ah', '/a/_ah/b', '/?/healthz', '/healthz%2F', '/health%7a%20')
  for (const path of ordinary) {
    t.match(await rawRequest(port, { path, headers: authorized }), { status: 200 }, path)
  }
  t.equal(service.requests.length, ordinary.length)
})

t.test('TRACE and CONNECT are refused, and end nothing else', async (t) => {
  const { service, port } = await checking(t)
  const trace = await rawRequest(port, { method: 'TRACE', path: '/<a>', headers: authorized })
  t.match(trace, {
    status: 405,
    headers: { server: 'Google Frontend', allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
  })
  t.match(trace.body, '<code>TRACE</code> is inappropriate for the URL <code>/&#60;a&#62;</code>')
  const connect = `CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n`
  const tunnel = `${connect}Authorization: Bearer ${token}\r\n\r\n\x16\x03\x01`
  t.match(
    await exchangeRaw(port, tunnel),
    /^HTTP\/1\.1 405 Method Not Allowed\r\n[^]*connection: close\r\n[^]*<\/html>\n$/i,
  )
  const get = `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`
  t.match(
    await exchangeRaw(port, get + tunnel),
    /^HTTP\/1\.1 200 OK\r\n[^]*HTTP\/1\.1 405 Method Not Allowed\r\n/,
    'after the answer to the request before',
  )
  t.strictSame(
    service.requests.map(({ method }) => method),
    ['GET'],
  )
})

t.test('unreserved characters of the path arrive decoded, and no others', async (t) => {
  const { service, port } = await checking(t)
  const rows: [sent: string, arrived: string][] = [
    ['/%41', '/A'],
    ['/%61%7A%30%39%2D%2e%5F%7e', '/az09-._~'],
    ['/a%2Fb%2fc%3F%23%25%20%26%3D%2B%3B', '/a%2Fb%2fc%3F%23%25%20%26%3D%2B%3B'],
    ['/%C3%A9%ff%00', '/%C3%A9%ff%00'],
    ['/%2541/%4/%zz/%', '/%2541/%4/%zz/%'],
    ['/%41?b=%41&c=%42?%43', '/A?b=%41&c=%42?%43'],
    ['*', '*'],
  ]
  for (const [path, arrived] of rows) {
    const method = path === '*' ? 'OPTIONS' : 'GET'
    t.equal((await rawRequest(port, { method, path, headers: authorized })).status, 200, path)
    t.equal(service.requests.at(-1)?.url, arrived, path)
  }
})
