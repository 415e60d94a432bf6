/** The programs of the guide do what it says. */
import t, { type Test } from 'tap'
import { IdTokenError, type IdTokenErrorCode } from '../../../src/index.ts'
import { issuer } from '../../helpers/issuer.ts'
import { entryOf, finds } from '../../helpers/logging-query.ts'
import { audience, login, search, signup } from '../../helpers/shop.ts'
import { blocksOf, firstProgram, onlyBlockOf, textOf, wholeProgram } from '../../pages/blocks.ts'
import { runToEnd, startService, type Service } from './programs.ts'

t.test('the service of the start', async (t) => {
  const service = await start(t, 'service.ts', firstProgram('service.ts'))
  const allowed = await service.call('/profiles/42', { email: login })
  t.equal(allowed.status, 200)
  t.same(await allowed.json(), { servedFor: login })

  const refused = await service.call('/profiles/42', { email: search })
  const [head = '', body = ''] = onlyBlockOf('http').split('\n\n')
  const [statusLine, ...headers] = head.split('\n')
  t.equal(`HTTP/1.1 ${refused.status} ${refused.statusText}`, statusLine)
  for (const header of headers) {
    const [, name = '', value] = /^(\S+): (.*)$/.exec(header) ?? []
    t.equal(refused.headers.get(name), value)
  }
  t.equal(await refused.text(), body.trim())

  const elsewhere = 'https://search-abc123-uc.a.run.app'
  const meantForAnother = await service.call('/profiles/42', { email: login, audience: elsewhere })
  t.equal(meantForAnother.status, 401)

  const shown = blocksOf('json')
    .map(({ code }) => JSON.parse(code) as { code: string })
    .filter((line) => 'code' in line)
  t.same(
    shown.map(({ code }) => code),
    ['ID_TOKEN_CALLER_NOT_ALLOWED', 'ID_TOKEN_AUDIENCE_MISMATCH'],
  )
  for (const line of shown) t.match(JSON.parse(await service.line(line.code)), valuesOfAnyRun(line))
  const [wholeLine = { code: '' }] = shown
  t.same(
    Object.keys(JSON.parse(await service.line(wholeLine.code)) as object),
    Object.keys(wholeLine),
    'the line of the README has every field of the real one',
  )
})

t.test('the service with all that the other blocks put into it', async (t) => {
  const service = await start(t, 'service.ts', wholeProgram('service.ts'))
  const created = await service.call('/profiles', { method: 'POST', email: signup })
  t.same([created.status, await created.json()], [200, { createdBy: signup }])
  const notCreated = await service.call('/profiles', { method: 'POST', email: login })
  t.equal(notCreated.status, 403)
  t.match(await notCreated.json(), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })
  t.match(notCreated.headers.get('www-authenticate'), /insufficient_scope/)

  const texts = async (path: string, email?: string): Promise<string> =>
    (await service.call(path, { email })).text()
  t.equal(await texts('/hello'), 'Hello, anonymous user')
  t.equal(await texts('/hello', login), `Hello, ${login}`)
  t.equal((await service.call('/hello', { email: search })).status, 403)
  t.equal(await texts('/health'), 'ok')
  t.equal(await texts('/greeting?lang=de'), 'de: anonymous user')
  t.equal(await texts('/name', login), login)
  const preflight = await service.call('/profiles', {
    method: 'OPTIONS',
    headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
  })
  t.equal(preflight.status, 204)
  t.equal(created.headers.get('x-ratelimit-limit'), '100')
  t.match(JSON.parse(await service.line('"url":"/health"')), {
    access: 'open',
    allowedCallers: [],
    msg: 'route',
  })
})

t.test('the service of the start ends on SIGTERM, although connections are open', async (t) => {
  const service = await start(t, 'service.ts', firstProgram('service.ts'))
  t.equal((await service.call('/profiles/42', { email: login })).status, 200)
  t.equal((await service.end()).code, 0)
})

t.test('the service of the rollout refuses nobody, and counts each request', async (t) => {
  const service = await start(t, 'rollout.ts', wholeProgram('rollout.ts'))
  for (const email of [login, login, undefined, search, login]) {
    const answer = await service.call('/profiles/42', { email })
    t.same([answer.status, await answer.json()], [200, { servedFor: null }])
  }
  const unknown = await service.call('/nosuch')
  t.equal(unknown.status, 404)
  const { code, lines } = await service.end()
  t.equal(code, 0)
  const counts = lines
    .map((line) => JSON.parse(line) as { idToken?: { count: number; outcome: string } })
    .flatMap(({ idToken }) => (idToken === undefined ? [] : [idToken.count]))
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    6,
  )
  const query = /filter `([^`]+)` finds these lines/.exec(
    textOf('docs/rollout.md').replaceAll(/\s+/g, ' '),
  )?.[1]
  const found = lines.filter((line) =>
    finds((query ?? '').replaceAll(' AND ', '\n'), entryOf(line, 'user-profiles')),
  )
  t.equal(found.length, 6, 'the filter finds the line of each request that would be refused')
  for (const line of found) t.match(line, 'would be refused')
})

t.test('the Express app', async (t) => {
  const service = await start(t, 'express.ts', wholeProgram('express.ts'))
  const answer = async (
    path: string,
    call: { email?: string; method?: string },
  ): Promise<readonly [number, string]> => {
    const response = await service.call(path, call)
    return [response.status, await response.text()]
  }
  const refusal = (code: IdTokenErrorCode): string =>
    JSON.stringify({ code, message: new IdTokenError(code).message })
  t.same(await answer('/health', {}), [200, 'ok'])
  t.same(await answer('/hello', {}), [200, 'Hello, anonymous user'])
  t.same(await answer('/hello', { email: login }), [200, `Hello, ${login}`])
  t.same(await answer('/profiles', { email: signup, method: 'POST' }), [
    200,
    JSON.stringify({ createdBy: signup }),
  ])
  const notAllowed = refusal('ID_TOKEN_CALLER_NOT_ALLOWED')
  t.same(await answer('/profiles', { email: login, method: 'POST' }), [403, notAllowed])
  t.same(await answer('/profiles/42', { email: login }), [
    200,
    JSON.stringify({ servedFor: login }),
  ])
  t.same(await answer('/profiles/42', { email: search }), [403, notAllowed])
  t.same(await answer('/profiles/42', {}), [401, refusal('ID_TOKEN_MISSING')])
  t.match(JSON.parse(await service.line('"ID_TOKEN_CALLER_NOT_ALLOWED"')), {
    level: 40,
    detail: { remedy: String },
  })
  t.equal((await service.end()).code, 0)
})

t.test('the server without a framework', async (t) => {
  const program = wholeProgram('node-http.ts').replaceAll('console.warn(', 'console.log(')
  const service = await start(t, 'node-http.ts', program)
  const answer = async (path: string, call: Call = {}): Promise<readonly [number, string]> => {
    const response = await service.call(path, call)
    return [response.status, await response.text()]
  }
  t.same(await answer('/health'), [200, 'ok\n'])
  t.same(await answer('/profiles?page=2', { email: login }), [
    200,
    JSON.stringify({ servedFor: login }),
  ])
  t.equal((await answer('/profiles', { email: signup }))[0], 403)
  t.same(await answer('/profiles', { email: signup, method: 'POST' }), [
    201,
    JSON.stringify({ createdBy: signup }),
  ])
  t.match(await answer('/profiles', { email: login, method: 'POST' }), [
    403,
    /ID_TOKEN_CALLER_NOT_ALLOWED/,
  ])
  t.match(JSON.parse(await service.line(`"${login} `)), {
    severity: 'WARNING',
    code: 'ID_TOKEN_CALLER_NOT_ALLOWED',
    detail: { expected: [signup], remedy: String },
  })
  const refused = await service.call('/profiles')
  t.match(refused.headers.get('www-authenticate'), /^Bearer realm=/)
  t.equal((await answer('/nosuch'))[0], 404)
  t.equal((await service.end()).code, 0)
})

t.test('the server without a framework and without a list', async (t) => {
  const program = wholeProgram('node-http.ts')
    .replace(/ {2}allowedCallers: \['login.*\n/, '')
    .replaceAll('console.error(', 'console.log(')
  const service = await start(t, 'no-list.ts', program)
  t.equal((await service.call('/profiles', { email: login })).status, 500)
  t.match(await service.line('TypeError'), /allowedCallers/)
  t.equal((await service.call('/profiles', { email: signup, method: 'POST' })).status, 201)
})

t.test('the explanation', async (t) => {
  const token = await issuer.idToken({ email: search, audience })
  const program = wholeProgram('explain.ts')
  const { code, output } = await runToEnd(t, 'explain.ts', program, issuer, [token])
  t.equal(code, 0)
  t.match(output, /'signature' +│ 'pass'/)
  t.match(output, /'caller' +│ 'fail'/)
  t.match(output, 'refused: ID_TOKEN_CALLER_NOT_ALLOWED')
})

t.test('the shortest test of a service', async (t) => {
  const program = wholeProgram('search.test.ts')
  t.same(await runToEnd(t, 'search.test.ts', program, issuer), { code: 0, output: '' })
})

t.test("the tests of one's own service, and of its lists", async (t) => {
  const program = wholeProgram('profiles.test.ts')
  const { code, output } = await runToEnd(t, 'profiles.test.ts', program, issuer)
  t.equal(code, 0)
  t.match(output, /pass 2\n/)
  const changed = program.replace('allowedCallers: [search]', 'allowedCallers: [login]')
  t.equal((await runToEnd(t, 'changed.test.ts', changed, issuer)).code, 1)
})

t.test("the test of one's own Express app", async (t) => {
  const program = wholeProgram('express.test.ts')
  const { code, output } = await runToEnd(t, 'express.test.ts', program, issuer)
  t.equal(code, 0)
  t.match(output, /pass 1\n/)
})

t.test('the way to enforcing, and a log that Cloud Logging reads', async (t) => {
  const program = `${wholeProgram('cloud.ts')}
    import googleIdToken from 'fastify-google-id-token'
    await app.register(googleIdToken, ${JSON.stringify({ audience, reportOnly: true, auditLog: true })})
    app.get('/profiles/:id', (request) => ({ caller: request.caller }))
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
    await app.inject({ url: '/profiles/42', headers })
    await app.inject({ url: '/profiles/42', headers: { traceparent: 'nonsense' } })
    await app.close()`
  const { code, output } = await runToEnd(t, 'logs.ts', program, issuer)
  t.equal(code, 0)
  const lines = output
    .split('\n')
    .flatMap((line): Record<string, unknown>[] =>
      line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [],
    )
  const trace = 'projects/shop-prod/traces/0af7651916cd43dd8448eb211c80319c'
  t.match(
    lines.find((line) => 'idToken' in line),
    {
      severity: 'INFO',
      message: 'ID token audit',
      idToken: { route: '/profiles/:id', outcome: 'ID_TOKEN_MISSING', enforced: false },
      'logging.googleapis.com/trace': trace,
    },
  )
  const refusals = lines.filter(({ code: refusal }) => refusal === 'ID_TOKEN_MISSING')
  t.match(refusals, [{ severity: 'WARNING', 'logging.googleapis.com/trace': trace }, {}])
  t.notOk('logging.googleapis.com/trace' in (refusals[1] ?? {}))
})

/** The line as a pattern: what differs from one run to the next matches by its type. */
function valuesOfAnyRun(line: object): object {
  return 'time' in line ? { ...line, time: Number, pid: Number, hostname: String } : line
}

interface Call {
  readonly email?: string | undefined
  readonly audience?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface CalledService {
  readonly call: (path: string, call?: Call) => Promise<Response>
  readonly line: Service['line']
  readonly end: Service['end']
}

async function start(t: Test, name: string, program: string): Promise<CalledService> {
  const { url, line, end } = await startService(t, name, program, issuer)
  const call = async (
    path: string,
    { email, method = 'GET', headers: own, ...token }: Call = {},
  ) => {
    const headers = new Headers(own)
    if (email !== undefined) {
      const idToken = await issuer.idToken({ email, audience, ...token })
      headers.set('authorization', `Bearer ${idToken}`)
    }
    return fetch(`${url}${path}`, { method, headers })
  }
  return { call, line, end }
}
