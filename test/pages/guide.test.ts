import { createPublicKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OAuth2Client } from 'google-auth-library'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { GUIDE_TABLE_NAMES } from './tables.ts'
import { remedyFor } from '../../src/errors/recognised-mistakes.ts'
import { GCLOUD_CLIENT } from '../../src/testing/emulator/users.ts'
import { IdTokenError, type IdTokenErrorCode } from '../../src/index.ts'
import { parseVerifierOptions, OPTION_NAMES } from '../../src/verifier/verifier-options.ts'
import { channels } from '../../src/telemetry/channels.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import {
  blocks,
  blocksOf,
  firstProgram,
  guide,
  onlyBlockOf,
  textOf,
  wholeProgram,
} from './blocks.ts'
import { meterWith } from '../helpers/meter.ts'
import { audience, login, search, signup } from '../helpers/shop.ts'
import { runToEnd, startService } from './programs.ts'
import { issuer } from '../helpers/issuer.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

t.test('every block is of a kind that is run or checked', (t) => {
  const known = ['ts', 'js', 'cjs', 'sh', 'json', 'http', 'mermaid']
  t.same(
    blocks.filter(({ language }) => !known.includes(language)).map(({ code }) => code),
    [],
  )
  // package.test.ts runs the js block with the packed package: only there can it be required.
  // The matrix runs Jest with the cjs block.
  t.equal(blocksOf('js').length, 1)
  t.equal(blocksOf('cjs').length, 1)
  t.match(onlyBlockOf('mermaid'), /^sequenceDiagram\n/)
  t.equal(guide.match(/^```\w/gm)?.length, blocks.length)
  t.end()
})

t.test('each table stands on one page, once', (t) => {
  for (const table of GUIDE_TABLE_NAMES) {
    t.equal(guide.split(`<!-- ${table} -->`).length, 2, table)
  }
  t.end()
})

t.test('the README stays short', (t) => {
  t.ok(
    textOf('README.md').split('\n').length - 1 <= 320,
    'what is longer belongs on a page of docs/',
  )
  t.end()
})

t.test('the options table has every option, once, with its default', (t) => {
  const rows = rowsOf('options')
  t.same(
    rows.map(([name]) => name),
    OPTION_NAMES.map((name) => `\`${name}\``),
  )
  const { rules, keys, maxStale, fetchTimeout, cacheSize, trustRemovedSignature } =
    parseVerifierOptions({
      audience,
    })
  const defaults = {
    issuer: rules.issuers.map((one) => `\`${one}\``).join(' and '),
    jwksUri: `\`${keys as string}\``,
    maxStale: String(maxStale / 1000),
    fetchTimeout: String(fetchTimeout / 1000),
    clockTolerance: String(rules.clockTolerance),
    maxTokenLifetime: String(rules.maxTokenLifetime),
    tokenCache: `\`{ max: ${cacheSize} }\``,
    trustRemovedSignature: `\`${trustRemovedSignature}\``,
  }
  for (const [name, value] of Object.entries(defaults)) {
    t.equal(rows.find(([option]) => option === `\`${name}\``)?.[1], value, name)
  }
  t.throws(() => parseVerifierOptions({}), { message: /audience is missing/ })
  t.same(rowsOf('plugin options')[0]?.slice(0, 2), ['`prefetch`', '`true`'])
  t.equal(rows[0]?.[1], 'required')
  t.end()
})

t.test('the metrics and channels are those that there are', (t) => {
  const metrics: string[] = []
  const note = (name: string): void => void metrics.push(name)
  const nothing = meterWith(() => ({ add: () => undefined }))
  createMetrics({
    createCounter: (name) => {
      note(name)
      return nothing.createCounter(name)
    },
    createHistogram: (name) => {
      note(name)
      return nothing.createHistogram(name)
    },
    createObservableGauge: (name) => {
      note(name)
      return nothing.createObservableGauge(name)
    },
  })
  t.same(
    [...guide.matchAll(/^\| `(google_id_token\.[\w.]+)`/gm)].map(([, name]) => name).sort(),
    metrics.sort(),
  )
  t.same(
    [...guide.matchAll(/^\| `(fastify-google-id-token:[\w:]+)`/gm)].map(([, name]) => name),
    Object.values(channels).map(({ name }) => name),
  )
  t.end()
})

t.test('the files that CONTRIBUTING.md names are there', (t) => {
  const page = textOf('CONTRIBUTING.md')
  const named = [...page.matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g)].map(([, file = '']) => file)
  t.ok(named.length > 10)
  t.same(
    named.filter((file) => ![join(root, 'src', file), join(root, file)].some(existsSync)),
    [],
  )
  t.end()
})

t.test('the folders of src are those of CONTRIBUTING.md', (t) => {
  const [, tree = ''] = /^(\| folder .*?\n)\n/ms.exec(textOf('CONTRIBUTING.md')) ?? []
  const named = [...tree.matchAll(/^\| `(\w+)` /gm)].map(([, folder]) => folder)
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  t.same(named.toSorted(), folders.toSorted())
  t.end()
})

t.test('the sh blocks install what there is and run scripts that there are', (t) => {
  const { name, scripts, peerDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as { name: string; scripts: object; peerDependencies: object }
  const packages = [name, ...Object.keys(peerDependencies)]
  const ofNpm = blocksOf('sh').filter(({ code }) => !code.startsWith('gcloud '))
  for (const line of ofNpm.flatMap(({ code }) => code.trim().split(/\n| && /))) {
    const [npm, command = '', ...rest] = line.split(' ')
    t.equal(npm, 'npm', line)
    if (command === 'install')
      t.same(
        rest.filter((one) => !packages.includes(one)),
        [],
        line,
      )
    else if (command !== 'ci') t.ok(Object.hasOwn(scripts, command), line)
  }
  t.end()
})

t.test('the gcloud command has the flags of the remedy', (t) => {
  const evidence = {
    iss: issuer.issuer,
    aud: GCLOUD_CLIENT,
    email: undefined,
    source: 'id-token',
    staticKeys: false,
  } as const
  const remedy = remedyFor('ID_TOKEN_AUDIENCE_MISMATCH', evidence) ?? ''
  const shown = blocksOf('sh').filter(({ code }) => code.startsWith('gcloud '))
  t.same(
    shown.map(({ code }) => flagsOf(code)),
    [flagsOf(remedy)],
  )
  t.equal(flagsOf(remedy).length, 3)
  t.end()
})

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

t.test("the test of one's own service", async (t) => {
  const program = wholeProgram('profiles.test.ts')
  const { code, output } = await runToEnd(t, 'profiles.test.ts', program, issuer)
  t.equal(code, 0)
  t.match(output, /pass 1\n/)
})

t.test('the test that holds the lists', async (t) => {
  const program = wholeProgram('callers.test.ts')
  const { code, output } = await runToEnd(t, 'callers.test.ts', program, issuer)
  t.equal(code, 0)
  t.match(output, /pass 1\n/)
  const changed = program.replace('allowedCallers: [search]', 'allowedCallers: [login]')
  t.equal((await runToEnd(t, 'changed.test.ts', changed, issuer)).code, 1)
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

t.test('what it says of google-auth-library and jose', async (t) => {
  const elsewhere = await issuer.idToken({ audience: 'https://elsewhere.example', email: login })
  const forged = `${elsewhere.slice(0, -8)}AAAAAAAA`

  const client = new OAuth2Client()
  const verify = (token: string, wanted?: string): Promise<unknown> =>
    client.verifySignedJwtWithCertsAsync(token, pemKeys(), wanted, [issuer.issuer])
  await t.resolves(verify(elsewhere))
  await t.rejects(verify(elsewhere, audience))
  await t.rejects(verify(forged), { message: forged })

  const keys = createLocalJWKSet({ keys: [...issuer.jwks.keys] })
  await t.resolves(jwtVerify(elsewhere, keys))
  await t.rejects(jwtVerify(elsewhere, keys, { audience }))
  await t.rejects(jwtVerify(forged, keys), { message: 'signature verification failed' })
})

/** The line as a pattern: what differs from one run to the next matches by its type. */
function valuesOfAnyRun(line: object): object {
  return 'time' in line ? { ...line, time: Number, pid: Number, hostname: String } : line
}

function flagsOf(command: string): string[] {
  return [...command.matchAll(/--[a-z-]+/g)].map(([flag]) => flag).toSorted()
}

function pemKeys(): Record<string, string> {
  return Object.fromEntries(
    issuer.jwks.keys.map((key) => [
      key.kid ?? '',
      createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString(),
    ]),
  )
}

/** The cells of a generated table, row by row. */
function rowsOf(table: string): string[][] {
  const [, inner = ''] = guide.split(new RegExp(`<!-- (?:end of )?${table} -->`))
  return inner
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

interface Call {
  readonly email?: string | undefined
  readonly audience?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface CalledService {
  readonly call: (path: string, call?: Call) => Promise<Response>
  readonly line: (part: string) => Promise<string>
}

async function start(t: Test, name: string, program: string): Promise<CalledService> {
  const { url, line } = await startService(t, name, program, issuer)
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
  return { call, line }
}
