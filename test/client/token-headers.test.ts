import { once } from 'node:events'
import { request } from 'node:http'
import { Compute } from 'google-auth-library'
import t from 'tap'
import {
  createServiceClient,
  type ServiceClientOptions,
  type TokenHeaders,
} from '../../src/client.ts'
import { startGoogle } from '../helpers/google-server.ts'
import { startService } from '../helpers/recording-service.ts'

const google = await startGoogle(t)
process.env.GCE_METADATA_HOST = google.host

function client(options: Partial<ServiceClientOptions> & { url: string }) {
  return createServiceClient({ auth: new Compute(), ...options })
}

t.test('a header of one’s own beside X-Serverless-Authorization', async (t) => {
  const service = await startService(t)
  const { fetch, idToken } = client({
    url: service.url,
    tokenHeaders: { twin: 'X-Service-Token' },
  })
  const bearer = `Bearer ${await idToken()}`
  await fetch('/', {
    headers: {
      authorization: 'Bearer of-the-user',
      'X-Service-Token': 'Bearer of.the.caller',
      'x-serverless-authorization': 'Bearer of.the.caller',
    },
  })
  await fetch('/')
  const [own, none] = service.requests.map(({ headers }) => headers)
  t.match(own, { 'x-serverless-authorization': bearer, 'x-service-token': bearer })
  t.equal(own?.authorization, 'Bearer of-the-user', 'Authorization is the application’s')
  t.match(none, { 'x-serverless-authorization': bearer, 'x-service-token': bearer })
  t.equal(none?.authorization, undefined)
})

t.test('no other origin is shown the header of one’s own', async (t) => {
  const elsewhere = await startService(t)
  const service = await startService(t, ({ url }, response) => {
    response.writeHead(Number(url.slice(1)), { location: elsewhere.url }).end()
  })
  const { fetch } = client({ url: service.url, tokenHeaders: { twin: 'x-service-token' } })
  for (const status of [302, 303, 307]) {
    await fetch(`/${status}`, {
      method: 'POST',
      headers: { 'x-service-token': 'Bearer of.the.caller', 'x-kept': '1' },
    })
  }
  t.equal(elsewhere.requests.length, 3)
  for (const { headers } of elsewhere.requests) {
    t.equal(headers['x-kept'], '1')
    t.notOk('x-service-token' in headers || 'x-serverless-authorization' in headers)
  }
})

t.test('a header that cannot carry a token is refused at start', async (t) => {
  const url = 'https://user-profiles-abc123-uc.a.run.app'
  for (const twin of [
    undefined,
    null,
    7,
    '',
    'x my header',
    'x-my-header\r\nx-other',
    'x-my-header:',
    'x-überschrift',
    'Authorization',
    'X-Serverless-Authorization',
    'Cookie',
    'Set-Cookie',
    'Host',
    'Connection',
    'Keep-Alive',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Content-Length',
    'Content-Type',
    'Expect',
    'Origin',
    'Sec-Token',
    'X-Forwarded-Authorization',
  ]) {
    const tokenHeaders = { twin } as TokenHeaders
    t.throws(() => createServiceClient({ url, tokenHeaders }), {
      name: 'TypeError',
      code: 'ID_TOKEN_OPTION_INVALID',
      message: /^Option tokenHeaders\.twin is .*; accepted: the name of a header of your own/,
    })
  }
  for (const tokenHeaders of [
    null,
    {},
    [],
    { twin: 'x-a', other: 1 },
    'X-Serverless-Authorization',
  ]) {
    t.throws(() => createServiceClient({ url, tokenHeaders: tokenHeaders as TokenHeaders }), {
      message: /^Option tokenHeaders/,
    })
  }
  for (const twin of ['x-my-header', 'X_Token', 'x-goog-twin', 'token']) {
    t.doesNotThrow(() => createServiceClient({ url, tokenHeaders: { twin } }))
  }
})

t.test('names of other libraries, and the one so far, lead to the right option', async (t) => {
  const url = 'https://user-profiles-abc123-uc.a.run.app'
  for (const [name, meant] of [
    ['header', 'tokenHeaders'],
    ['headers', 'tokenHeaders'],
    ['audiences', 'audience'],
    ['targetAudience', 'audience'],
    ['credentials', 'auth'],
    ['baseUrl', 'url'],
  ] as const) {
    t.throws(() => createServiceClient({ url, [name]: 'hunter2' }), {
      message: new RegExp(
        `^Option ${name} is unknown \\(did you mean ${meant}\\?\\); accepted: the options url, (?!.*hunter2)`,
      ),
    })
  }
})

t.test('headers for any other HTTP client', async (t) => {
  const service = await startService(t)
  for (const [tokenHeaders, names] of [
    [undefined, ['x-serverless-authorization', 'authorization']],
    ['both', ['x-serverless-authorization', 'authorization']],
    ['x-serverless-authorization', ['x-serverless-authorization']],
    ['authorization', ['authorization']],
    [{ twin: 'X-My-Header' }, ['x-serverless-authorization', 'x-my-header']],
  ] as const) {
    const { headers, idToken } = client({ url: service.url, tokenHeaders })
    const got = await headers()
    const bearer = `Bearer ${await idToken()}`
    t.strictSame(got, Object.fromEntries(names.map((name) => [name, bearer])))
    t.equal(Object.getPrototypeOf(got), Object.prototype, 'a plain object')
    got.authorization = 'changed by its owner'
    t.not((await headers()).authorization, 'changed by its owner')

    const sent = request(`${service.url}/profiles/42`, { headers: await headers() }).end()
    const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    t.equal(response.statusCode, 200)
    t.match(
      service.requests.at(-1)?.headers,
      Object.fromEntries(names.map((name) => [name, bearer])),
    )
  }
})

t.test('headers fail as fetch does', async (t) => {
  const { headers, close } = client({ url: 'https://user-profiles-abc123-uc.a.run.app' })
  const reason = new Error('enough')
  await t.rejects(headers({ signal: AbortSignal.abort(reason) }), reason)
  const release = google.hold('metadata')
  const controller = new AbortController()
  const waiting = headers({ signal: controller.signal })
  controller.abort(reason)
  await t.rejects(waiting, reason)
  release()
  close()
  await t.rejects(headers(), { code: 'SERVICE_CLIENT_CLOSED' })
})
