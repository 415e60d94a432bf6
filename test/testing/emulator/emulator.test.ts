/** The emulator as a whole: its keys, faults, log, address and options. */
import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { decodeProtectedHeader, exportJWK } from 'jose'
import t from 'tap'
import { startGoogleEmulator, type Fault, type FaultyEndpoint } from '../../../src/testing.ts'
import { baseUrl } from '../../../src/testing/emulator/listen.ts'
import {
  accessToken,
  ACCOUNT,
  api,
  ask,
  METADATA,
  post,
  startEmulator,
} from '../../helpers/emulator.ts'
import { otherIssuer } from '../../helpers/issuer.ts'
import { runProcess } from '../../helpers/run-process.ts'
import { audience, login as email, search } from '../../helpers/shop.ts'
import { stoppedClock } from '../../helpers/stopped-clock.ts'

t.test('keys: the JWK set, the same as X.509, and the document that names them', async (t) => {
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const google = await startEmulator(t, { clock: time.clock })
  const jwks = await ask(google, '/oauth2/v3/certs')
  t.equal(google.jwksUri, `${google.url}/oauth2/v3/certs`)
  const [key = {}] = jwks.json.keys as { kid: string }[]
  t.match(key, { alg: 'RS256', use: 'sig', kty: 'RSA', e: 'AQAB', kid: /^test-[0-9a-f]{40}$/ })
  t.notOk('d' in key)

  const certificateNow = async (): Promise<X509Certificate> => {
    const { json, headers } = await ask(google, '/oauth2/v1/certs')
    t.strictSame(Object.keys(json), [(key as { kid: string }).kid])
    t.equal(headers.get('cache-control'), jwks.headers.get('cache-control'))
    return new X509Certificate(String(Object.values(json)[0]))
  }
  const certificate = await certificateNow()
  t.equal(certificate.subject, 'CN=federated-signon.system.gserviceaccount.com')
  t.ok(certificate.checkIssued(certificate))
  t.ok(certificate.verify(createPublicKey({ key, format: 'jwk' })))
  t.notOk(certificate.ca)
  t.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048)
  t.match(await exportJWK(certificate.publicKey), { n: (key as { n?: string }).n })
  t.ok(Date.parse(certificate.validFrom) < time.seconds() * 1000)
  t.ok(Date.parse(certificate.validTo) > time.seconds() * 1000)
  t.equal(jwks.headers.get('cache-control'), 'public, max-age=23641, must-revalidate, no-transform')
  t.equal((await certificateNow()).serialNumber, certificate.serialNumber, 'the same one')
  // Dates from 2050 on are written in another form.
  time.pass(30 * 365 * 86_400)
  const renewed = await certificateNow()
  t.not(renewed.serialNumber, certificate.serialNumber)
  t.match(renewed.validTo, /2056/)
  t.ok(renewed.verify(renewed.publicKey))

  t.match((await ask(google, '/.well-known/openid-configuration')).json, {
    issuer: 'https://accounts.google.com',
    jwks_uri: google.jwksUri,
    token_endpoint: `${google.url}/token`,
    id_token_signing_alg_values_supported: ['RS256'],
  })
})

t.test('only the published keys have certificates', async (t) => {
  const google = await startEmulator(t)
  const kids = async (): Promise<string[]> =>
    Object.keys((await ask(google, '/oauth2/v1/certs')).json).sort()
  const published = async (): Promise<string[]> =>
    ((await ask(google, '/oauth2/v3/certs')).json.keys as { kid: string }[])
      .map(({ kid }) => kid)
      .sort()
  const [first = ''] = await kids()
  for (const options of [undefined, {}, { keepOld: false }]) {
    await google.rotateKeys(options)
    t.strictSame(await kids(), await published())
  }
  t.notOk((await kids()).includes(first))
  const token = await google.idToken({ email, audience })
  t.strictSame(await kids(), [decodeProtectedHeader(token).kid])
})

t.test('tokeninfo tells claims as strings', async (t) => {
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const google = await startEmulator(t, { clock: time.clock })
  const claims = { google: { organization_number: 1 }, nonce: undefined }
  const idToken = await google.idToken({ email, audience, claims })
  const { kid } = decodeProtectedHeader(idToken)
  const now = time.seconds()
  const { client_id: uniqueId } = google.serviceAccountKey(email)
  const expected = {
    alg: 'RS256',
    aud: audience,
    azp: uniqueId,
    email,
    email_verified: 'true',
    exp: String(now + 3600),
    iat: String(now),
    iss: 'https://accounts.google.com',
    kid,
    sub: uniqueId,
    typ: 'JWT',
  }
  t.same((await ask(google, `/tokeninfo?id_token=${idToken}`)).json, expected)
  t.same((await post(google, '/tokeninfo', { id_token: idToken })).json, expected)
  t.match(await ask(google, '/tokeninfo'), { status: 400, json: { error: 'invalid_request' } })
  const other = await otherIssuer.idToken({ email, audience })
  for (const bad of ['x', other, await google.idToken({ audience, expiresIn: -1 })]) {
    t.match(await ask(google, `/tokeninfo?id_token=${bad}`), {
      status: 400,
      json: { error: 'invalid_token', error_description: 'Invalid Value' },
    })
  }
})

t.test('faults: answers instead of its own', async (t) => {
  const google = await startEmulator(t)
  const certs = () => ask(google, '/oauth2/v3/certs')
  const rows: [fault: Fault, answer: object][] = [
    [{ status: 503 }, { status: 503, text: '' }],
    [{ body: 'no keys' }, { status: 200, text: 'no keys' }],
    [
      { status: 500, body: { keys: [] } },
      { status: 500, json: { keys: [] } },
    ],
    [{ delayMs: 1, status: 500 }, { status: 500 }],
    [{ delayMs: 1 }, { status: 200, json: { keys: [{}] } }],
  ]
  for (const [fault, answer] of rows) {
    const lift = google.fault('certs', fault)
    t.match(await certs(), answer)
    t.match(await certs(), answer)
    lift()
    t.match(await certs(), { status: 200, json: { keys: [{}] } }, 'lifted')
  }
  google.fault('certs', { status: 500, times: 2 })
  google.fault('certs', { status: 429, times: 1 })
  const statuses = []
  for (let count = 0; count < 4; count += 1) statuses.push((await certs()).status)
  t.strictSame(statuses, [429, 500, 500, 200], 'the latest first, each as often as it says')
})

t.test('faults: which requests they are for', async (t) => {
  const google = await startEmulator(t)
  const paths: Record<string, string> = {
    certs: '/oauth2/v3/certs',
    x509: '/oauth2/v1/certs',
    discovery: '/.well-known/openid-configuration',
    token: '/token',
    tokeninfo: '/tokeninfo',
    sts: '/v1/token',
    subjectToken: `/subject-token/${email}`,
    generateAccessToken: `/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
    generateIdToken: `/v1/projects/-/serviceAccounts/${email}:generateIdToken`,
    project: '/v1/projects/1',
    identity: `${ACCOUNT}/identity`,
    email: `${ACCOUNT}/email`,
  }
  const faulty = async (endpoint: FaultyEndpoint): Promise<string[]> => {
    const lift = google.fault(endpoint, { status: 599 })
    const found = []
    for (const [name, path] of Object.entries(paths)) {
      if ((await ask(google, path)).status === 599) found.push(name)
    }
    lift()
    return found
  }
  for (const name of ['discovery', 'token', 'tokeninfo', 'sts', 'subjectToken'] as const) {
    t.strictSame(await faulty(name), [name])
  }
  for (const name of ['generateAccessToken', 'generateIdToken', 'project', 'identity'] as const) {
    t.strictSame(await faulty(name), [name])
  }
  t.strictSame(await faulty('certs'), ['certs', 'x509'])
  t.strictSame(await faulty('metadata'), ['identity', 'email'])
  t.strictSame(await faulty('/oauth2/v1/certs'), ['x509'])
  t.throws(() => google.fault('cert' as never, {}), { message: /Option endpoint is 'cert'.*certs/ })
  t.throws(() => google.fault('certs', { statuz: 500 } as never), { message: /statuz/ })
})

t.test('faults: connections that hang or are reset', async (t) => {
  const google = await startEmulator(t)
  const lift = google.fault('token', { reset: true })
  await t.rejects(post(google, '/token', {}), { cause: { code: /ECONNRESET|UND_ERR_SOCKET/ } })
  lift()
  google.fault('sts', { hang: true })
  google.fault('tokeninfo', { delayMs: 600_000 })
  const signal = AbortSignal.timeout(100)
  await t.rejects(ask(google, '/v1/token', { method: 'POST', signal }), { name: 'TimeoutError' })
  const waiting = [post(google, '/v1/token', {}), ask(google, '/tokeninfo')]
  while (google.requests.length < 4) await new Promise((resolve) => setTimeout(resolve, 5))
  t.strictSame(
    google.requests.map(({ endpoint, status }) => `${endpoint ?? ''} ${status ?? 'open'}`).sort(),
    ['sts open', 'sts open', 'token open', 'tokeninfo open'],
  )
  await Promise.all([google.close(), ...waiting.map((answer) => t.rejects(answer))])
  await t.rejects(ask(google, '/'), { cause: { code: 'ECONNREFUSED' } })
  await t.resolves(google.close(), 'once more')
})

t.test('the log tells what was asked, and no credential', async (t) => {
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const google = await startEmulator(t, { serviceAccount: email, clock: time.clock })
  const token = await accessToken(google)
  const idToken = await google.idToken({ email, audience })
  await api(google, `-/serviceAccounts/${search}:generateIdToken`, { token, body: { audience } })
  await ask(google, `${ACCOUNT}/identity?audience=${idToken}`, { headers: METADATA })
  await ask(google, `/tokeninfo?id_token=${idToken}`)
  await ask(google, `/${idToken}/${token}`)
  const login = google.authorizedUser('dana@example.com')
  await ask(google, `/${login.refresh_token}`)
  t.strictSame(
    google.requests.map(({ method, endpoint, audience, status }) => [
      method,
      endpoint,
      audience,
      status,
    ]),
    [
      ['GET', 'metadata', undefined, 200],
      ['POST', 'generateIdToken', audience, 200],
      ['GET', 'identity', '[credential]', 200],
      ['GET', 'tokeninfo', undefined, 200],
      ['GET', undefined, undefined, 404],
      ['GET', undefined, undefined, 404],
    ],
  )
  t.strictSame(google.requests[0]?.time, time.clock())
  t.equal(google.requests[1]?.path, `/v1/projects/-/serviceAccounts/${search}:generateIdToken`)
  const log = JSON.stringify(google.requests)
  for (const secret of [token, login.refresh_token, ...idToken.split('.')]) {
    t.notOk(log.includes(secret.slice(3, 30)))
  }
  const before = google.requests
  await ask(google, '/')
  t.equal(before.length, 6, 'as of then')
})

t.test('the log keeps the latest ten thousand', async (t) => {
  const google = await startEmulator(t)
  await ask(google, '/')
  const socket = connect(Number(new URL(google.url).port), '127.0.0.1').resume()
  const request = 'GET /nowhere HTTP/1.1\r\nHost: a\r\n'
  socket.write(`${`${request}\r\n`.repeat(9_999)}${request}Connection: close\r\n\r\n`)
  await once(socket, 'close')
  t.equal(google.requests.length, 10_000)
  t.equal(google.requests[0]?.path, '/nowhere')
})

t.test('listens on loopback, and elsewhere only with allowRemote', async (t) => {
  for (const host of ['0.0.0.0', '192.0.2.1', 'example.com']) {
    await t.rejects(startGoogleEmulator({ host }), { message: /Option host.*allowRemote/ })
  }
  const local = await startEmulator(t, { host: 'localhost' })
  t.match(local.url, /^http:\/\/localhost:\d+$/)
  t.equal((await ask(local, '/')).status, 200)

  const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>
  const remote = await startEmulator(t, { host: '0.0.0.0', allowRemote: true })
  const [warning] = await warned
  t.match(warning, { code: 'GOOGLE_EMULATOR_REMOTE', message: /worthless/ })
  t.match(remote.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.equal((await ask(remote, '/')).status, 200)
  t.equal(baseUrl('::1', 80), 'http://[::1]:80')
  t.equal(baseUrl('::', 80), 'http://[::1]:80')
})

t.test('a given port is the port, and a wrong option is named', async (t) => {
  const first = await startGoogleEmulator()
  const port = Number(new URL(first.url).port)
  await t.rejects(startGoogleEmulator({ port }), { code: 'EADDRINUSE' })
  await first.close()
  t.equal((await startEmulator(t, { port })).url, first.url)

  const wrong: [options: object, message: RegExp][] = [
    [{ prot: 1 }, /Option prot/],
    [{ port: 65_536 }, /Option port is 65536/],
    [{ port: 1.5 }, /Option port is 1\.5/],
    [{ port: -1 }, /Option port is -1/],
    [{ serviceAccount: 'login' }, /Option serviceAccount is 'login'/],
    [{ platform: 'gke' }, /Option platform is 'gke'/],
    [{ idTokenLifetime: 0 }, /Option idTokenLifetime is 0; accepted: .*from 1 to 86400/],
    [{ idTokenLifetime: 86_401 }, /Option idTokenLifetime is 86401/],
    [{ idTokenLifetime: 1.5 }, /Option idTokenLifetime is 1\.5/],
  ]
  for (const [options, message] of wrong) {
    await t.rejects(startGoogleEmulator(options), { message })
  }
  const google = await startEmulator(t)
  t.equal(google.serviceAccount, '123456789012-compute@developer.gserviceaccount.com')
  t.equal(google.env.GOOGLE_CLOUD_PROJECT, 'emulator-project')
  t.match(google.serviceAccountKey('123-compute@developer.gserviceaccount.com'), {
    project_id: 'emulator-project',
  })
  for (const make of [
    'serviceAccountKey',
    'workloadIdentityConfig',
    'impersonatedCredentials',
    'authorizedUser',
  ] as const) {
    t.throws(() => google[make]('login'), { message: /Option email is 'login'/ })
  }
})

t.test(
  'without Fastify the rest of the entry works, and the emulator says what to do',
  async (t) => {
    const outputOf = async (insteadOfIt: string) => {
      const { stdout } = await runProcess('without-fastify', [insteadOfIt])
      return JSON.parse(stdout) as unknown
    }
    const [missing, broken] = await Promise.all([
      outputOf('not-installed'),
      outputOf('data:text/javascript,throw new Error("out of order")'),
    ])
    t.strictSame(missing, {
      status: 403,
      error: 'Error: startGoogleEmulator needs the package fastify: npm install --save-dev fastify',
    })
    t.strictSame(broken, { status: 403, error: 'Error: out of order' })
  },
)

t.test('a process that closes its emulator ends', async (t) => {
  const { exitCode, stderr } = await runProcess('emulate-and-close')
  t.strictSame([exitCode, stderr], [0, ''])
})
