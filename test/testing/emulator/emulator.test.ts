import { createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { decodeJwt, decodeProtectedHeader, exportJWK, importPKCS8, SignJWT } from 'jose'
import {
  startGoogleEmulator,
  type Fault,
  type FaultyEndpoint,
  type GoogleEmulator,
  type GoogleEmulatorOptions,
} from '../../../src/testing.ts'
import { baseUrl } from '../../../src/testing/emulator/listen.ts'
import { runProcess } from '../../helpers/run-process.ts'

const email = 'login@shop-prod.iam.gserviceaccount.com'
const search = 'search@shop-prod.iam.gserviceaccount.com'
const audience = 'https://user-profiles-abc123-uc.a.run.app'
const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const METADATA = { 'metadata-flavor': 'Google' }
const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown>
}

/** An emulator for one test. */
async function start(t: Test, options?: GoogleEmulatorOptions): Promise<GoogleEmulator> {
  const google = await startGoogleEmulator(options)
  t.teardown(() => google.close())
  return google
}

async function ask(google: GoogleEmulator, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${google.url}${path}`, { redirect: 'manual', ...init })
  const { status, headers } = response
  const text = await response.text()
  return { status, headers, text, json: text.startsWith('{') ? (JSON.parse(text) as never) : {} }
}

function post(google: GoogleEmulator, path: string, body: Record<string, string> | string) {
  const form = typeof body === 'string' ? body : new URLSearchParams(body)
  return ask(google, path, { method: 'POST', body: form })
}

function api(
  google: GoogleEmulator,
  method: string,
  { token, body = {} }: { token: string; body?: unknown },
) {
  return ask(google, `/v1/projects/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** An access token of the default account. */
async function accessToken(google: GoogleEmulator, scopes = CLOUD_PLATFORM): Promise<string> {
  const { json } = await ask(google, `${ACCOUNT}/token?scopes=${scopes}`, { headers: METADATA })
  return String(json.access_token)
}

/** A clock that stands until it is moved. */
function stoppedClock(start = '2026-03-01T12:00:00Z') {
  let time = Date.parse(start)
  return {
    clock: () => new Date(time),
    seconds: () => time / 1000,
    pass: (seconds: number) => {
      time += seconds * 1000
    },
  }
}

t.test('keys: the JWK set, the same as X.509, and the document that names them', async (t) => {
  const time = stoppedClock()
  const google = await start(t, { clock: time.clock })
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
  const google = await start(t)
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

t.test('the token endpoint verifies assertions', async (t) => {
  const time = stoppedClock()
  const google = await start(t, { clock: time.clock })
  const file = google.serviceAccountKey(email)
  t.strictSame(google.serviceAccountKey(email), file, 'one key for an account')
  t.match(file, {
    type: 'service_account',
    project_id: 'shop-prod',
    client_email: email,
    client_id: /^\d{21}$/,
    token_uri: `${google.url}/token`,
  })
  const otherKey = await importPKCS8(google.serviceAccountKey(search).private_key, 'RS256')
  const key = await importPKCS8(file.private_key, 'RS256')
  const now = time.seconds()
  const good = { iss: email, aud: file.token_uri, iat: now, exp: now + 3600 }
  const signed = (claims: object, signingKey = key): Promise<string> =>
    new SignJWT({ ...good, target_audience: audience, ...claims })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(signingKey)
  const exchange = async (assertion: string) =>
    post(google, '/token', { grant_type: JWT_BEARER, assertion })

  for (const aud of [
    'https://oauth2.googleapis.com/token',
    'https://www.googleapis.com/oauth2/v4/token',
    google.url,
    `http://localhost:${new URL(google.url).port}/token`,
  ]) {
    const { status, json } = await ask(
      { ...google, url: aud.startsWith('http://localhost') ? new URL(aud).origin : google.url },
      '/token',
      {
        method: 'POST',
        body: new URLSearchParams({ grant_type: JWT_BEARER, assertion: await signed({ aud }) }),
      },
    )
    t.equal(status, 200, aud)
    t.strictSame(Object.keys(json), ['id_token'])
    t.strictSame(decodeJwt(String(json.id_token)), {
      aud: audience,
      azp: email,
      email,
      email_verified: true,
      exp: now + 3600,
      iat: now,
      iss: 'https://accounts.google.com',
      sub: file.client_id,
    })
  }
  t.equal((await exchange(await signed({ iss: file.client_id }))).status, 200, 'by unique id')
  t.match((await exchange(await signed({ target_audience: undefined, scope: 'a b' }))).json, {
    access_token: /^ya29\./,
    expires_in: 3599,
    token_type: 'Bearer',
  })

  const refused: [name: string, assertion: string, error: string, description: RegExp][] = [
    [
      'the key of another',
      await signed({}, otherKey),
      'invalid_grant',
      /^Invalid JWT Signature\.$/,
    ],
    [
      'an unsigned one',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await signed({})).split('.')[1] ?? ''}.`,
      'invalid_grant',
      /Signature/,
    ],
    ['no assertion', 'x', 'invalid_grant', /Bad Request/],
    ['an unknown account', await signed({ iss: 'x@y.com' }), 'invalid_grant', /account not found/],
    ['an unknown unique id', await signed({ iss: '1' }), 'invalid_grant', /account not found/],
    ['no issuer', await signed({ iss: undefined }), 'invalid_grant', /account not found/],
    ['another audience', await signed({ aud: 'https://a' }), 'invalid_grant', /audience check/],
    ['a list of audiences', await signed({ aud: [good.aud] }), 'invalid_grant', /audience check/],
    ['expired', await signed({ iat: now - 4000, exp: now - 400 }), 'invalid_grant', /timeframe/],
    ['of tomorrow', await signed({ iat: now + 400 }), 'invalid_grant', /timeframe/],
    ['too long', await signed({ exp: now + 4000 }), 'invalid_grant', /timeframe/],
    ['without exp', await signed({ exp: undefined }), 'invalid_grant', /timeframe/],
    ['without iat', await signed({ iat: undefined }), 'invalid_grant', /timeframe/],
    ['for nothing', await signed({ target_audience: undefined }), 'invalid_scope', /scope/],
  ]
  for (const [name, assertion, error, description] of refused) {
    const { status, json } = await exchange(assertion)
    t.equal(status, 400, name)
    t.match(json, { error, error_description: description }, name)
    t.notOk('id_token' in json)
  }
})

t.test('the token endpoint knows what it cannot do', async (t) => {
  const google = await start(t)
  const login = google.authorizedUser('dana@example.com')
  const refresh = {
    grant_type: 'refresh_token',
    client_id: login.client_id,
    client_secret: login.client_secret,
    refresh_token: login.refresh_token,
  }
  t.match((await post(google, '/token', refresh)).json, { id_token: /^eyJ/ })
  const refused: [body: Record<string, string>, status: number, error: string][] = [
    [{}, 400, 'invalid_request'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
    [{ grant_type: JWT_BEARER }, 400, 'invalid_request'],
    [{ grant_type: 'refresh_token' }, 400, 'invalid_grant'],
    [{ ...refresh, refresh_token: 'x' }, 400, 'invalid_grant'],
    [{ ...refresh, client_id: 'x' }, 401, 'invalid_client'],
    [{ ...refresh, client_secret: 'x' }, 401, 'invalid_client'],
  ]
  for (const [body, status, error] of refused) {
    const answer = await post(google, '/token', body)
    t.match(answer, { status, json: { error } })
  }
  t.equal((await ask(google, '/token', { method: 'POST' })).status, 400, 'no body')
  t.equal((await post(google, '/token', 'a'.repeat(2 ** 21))).status, 413, 'too much')
})

t.test('the STS exchanges the subject tokens of its provider', async (t) => {
  const time = stoppedClock()
  const google = await start(t, { clock: time.clock })
  const config = google.workloadIdentityConfig(email)
  t.equal(
    config.service_account_impersonation_url,
    `${google.url}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
  )
  t.notOk(
    'service_account_impersonation_url' in
      google.workloadIdentityConfig(email, { impersonate: false }),
  )
  const subjectToken = await google.subjectToken(email)
  const good = {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: config.audience,
    scope: CLOUD_PLATFORM,
    requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
    subjectToken,
    subjectTokenType: config.subject_token_type,
  }
  // As JSON, which the documentation's curl line sends, here and in forms elsewhere.
  const exchange = (fields: object) =>
    post(google, '/v1/token', JSON.stringify({ ...good, ...fields }))
  t.match(await exchange({ options: {} }), {
    status: 200,
    json: {
      access_token: /^ya29\./,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3599,
    },
  })
  const refused: [fields: object, error: string][] = [
    [{ grantType: JWT_BEARER }, 'unsupported_grant_type'],
    [{ grantType: undefined }, 'invalid_request'],
    [{ audience: `${config.audience}x` }, 'invalid_request'],
    [{ requestedTokenType: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    [{ subjectTokenType: 'x' }, 'invalid_request'],
    [{ scope: '' }, 'invalid_request'],
    [{ subjectToken: undefined }, 'invalid_request'],
    [{ subjectToken: 'x' }, 'invalid_grant'],
    [{ subjectToken: await google.idToken({ email, audience: config.audience }) }, 'invalid_grant'],
    [{ subjectToken: await (await start(t)).subjectToken(email) }, 'invalid_grant'],
  ]
  for (const [fields, error] of refused) {
    t.match(await exchange(fields), { status: 400, json: { error } }, Object.keys(fields).join())
  }
  t.match(await post(google, '/v1/token', '[]'), { status: 400 }, 'a list')
  time.pass(3601)
  t.match(await exchange({}), { status: 400, json: { error: 'invalid_grant' } }, 'expired')
})

t.test('generateIdToken: the claims that are asked for', async (t) => {
  const google = await start(t, { serviceAccount: email })
  const token = await accessToken(google)
  const { client_id: uniqueId } = google.serviceAccountKey(search)
  const iss = 'https://accounts.google.com'
  const withoutEmail = { aud: audience, azp: uniqueId, iss, sub: uniqueId }
  const withEmail = { ...withoutEmail, email: search, email_verified: true }
  const rows: [body: object, claims: object][] = [
    [{}, withoutEmail],
    [{ includeEmail: false }, withoutEmail],
    [{ includeEmail: true }, withEmail],
    [{ includeEmail: 'true', delegates: [] }, withEmail],
    // The field's own name, and what Google's Python client sends for no delegates.
    [{ include_email: true, delegates: null }, withEmail],
    [
      { includeEmail: true, useEmailAzp: true },
      { ...withEmail, azp: search },
    ],
    [
      { organizationNumberIncluded: true },
      { ...withoutEmail, google: { organization_number: null } },
    ],
  ]
  for (const account of [search, uniqueId, encodeURIComponent(search)]) {
    for (const [body, expected] of rows) {
      const { status, json } = await api(google, `-/serviceAccounts/${account}:generateIdToken`, {
        token,
        body: { audience, ...body },
      })
      t.equal(status, 200)
      const { iat = NaN, exp, ...claims } = decodeJwt(String(json.token))
      t.strictSame(claims, expected)
      t.equal(exp, iat + 3600)
    }
  }
  const inOrganization = await start(t, { organizationNumber: 987654321 })
  const answer = await api(inOrganization, `-/serviceAccounts/${search}:generateIdToken`, {
    token: await accessToken(inOrganization),
    body: { audience, organizationNumberIncluded: true },
  })
  t.match(decodeJwt(String(answer.json.token)), { google: { organization_number: 987654321 } })
})

t.test('generateAccessToken: a token that says how long it lasts, and lasts so long', async (t) => {
  const time = stoppedClock()
  const google = await start(t, { clock: time.clock })
  const method = `-/serviceAccounts/${search}:generateAccessToken`
  const first = await api(google, method, {
    token: await accessToken(google),
    body: { scope: [CLOUD_PLATFORM], lifetime: '600s' },
  })
  t.match(first.json, { accessToken: /^ya29\./, expireTime: '2026-03-01T12:10:00Z' })
  const token = String(first.json.accessToken)
  time.pass(599)
  t.match(await api(google, method, { token, body: { scope: CLOUD_PLATFORM } }), {
    status: 200,
    json: { expireTime: '2026-03-01T13:09:59Z' },
  })
  time.pass(1)
  t.match(await api(google, method, { token, body: { scope: [CLOUD_PLATFORM] } }), {
    status: 401,
    json: { error: { code: 401, status: 'UNAUTHENTICATED' } },
  })
})

t.test('the Service Account Credentials API refuses as Google does', async (t) => {
  const google = await start(t, { serviceAccount: email })
  const token = await accessToken(google)
  const idTokenMethod = `-/serviceAccounts/${search}:generateIdToken`
  const accessTokenMethod = `-/serviceAccounts/${search}:generateAccessToken`
  const rows: [method: string, body: unknown, status: number, error: string, token?: string][] = [
    [idTokenMethod, { audience }, 401, 'UNAUTHENTICATED', 'x'],
    [idTokenMethod, { audience }, 401, 'UNAUTHENTICATED', await google.idToken({ audience })],
    [idTokenMethod, { audience }, 403, 'PERMISSION_DENIED', await accessToken(google, 'openid')],
    [idTokenMethod, '', 400, 'INVALID_ARGUMENT'],
    [idTokenMethod, '{', 400, 'INVALID_ARGUMENT'],
    [idTokenMethod, { audience: '' }, 400, 'INVALID_ARGUMENT'],
    [idTokenMethod, { audience, delegates: ['x'] }, 400, 'INVALID_ARGUMENT'],
    [
      idTokenMethod,
      { audience, delegates: ['projects/-/serviceAccounts/1'] },
      400,
      'INVALID_ARGUMENT',
    ],
    [`p/serviceAccounts/${search}:generateIdToken`, { audience }, 400, 'INVALID_ARGUMENT'],
    ['-/serviceAccounts/123456789012345678901:generateIdToken', { audience }, 404, 'NOT_FOUND'],
    [`-/serviceAccounts/${search}:signBlob`, {}, 404, 'NOT_FOUND'],
    [`-/serviceAccounts/${search}`, {}, 404, 'NOT_FOUND'],
    [accessTokenMethod, {}, 400, 'INVALID_ARGUMENT'],
    [accessTokenMethod, { scope: [] }, 400, 'INVALID_ARGUMENT'],
    [accessTokenMethod, { scope: ['a'], lifetime: '1h' }, 400, 'INVALID_ARGUMENT'],
    [accessTokenMethod, { scope: ['a'], lifetime: 60 }, 400, 'INVALID_ARGUMENT'],
    [accessTokenMethod, { scope: ['a'], lifetime: '0s' }, 400, 'INVALID_ARGUMENT'],
    [accessTokenMethod, { scope: ['a'], lifetime: '43201s' }, 400, 'INVALID_ARGUMENT'],
  ]
  for (const [method, body, code, status, other = token] of rows) {
    const answer = await api(google, method, { token: other, body })
    t.match(answer, { status: code, json: { error: { code, status, message: String } } }, method)
    t.equal(answer.headers.has('www-authenticate'), code === 401)
  }
  const without = await ask(google, `/v1/projects/${idTokenMethod}`, { method: 'POST' })
  t.match(without, { status: 401, json: { error: { message: /missing/ } } })
  t.match((await ask(google, '/v1/projects/123456789012')).json, { projectId: 'shop-prod' })
  t.match(await ask(google, '/v1/projects'), { status: 404, json: { error: { code: 404 } } })
})

t.test(
  'denied accounts give no tokens, to all or to one, until they are allowed again',
  async (t) => {
    const google = await start(t, { serviceAccount: email })
    const token = await accessToken(google)
    const statusOf = async (method: string, body: object = {}): Promise<number> => {
      const answer = await api(google, `-/serviceAccounts/${search}:${method}`, {
        token,
        body: { audience, scope: ['a'], ...body },
      })
      if (answer.status === 403) {
        t.match(answer.json, {
          error: {
            message:
              /^Permission 'iam\.serviceAccounts\.\w+' denied on resource \(or it may not exist\)\.$/,
            details: [{ reason: 'IAM_PERMISSION_DENIED' }],
          },
        })
      }
      return answer.status
    }
    const allow = google.denyTokenCreation(search)
    t.equal(await statusOf('generateIdToken'), 403)
    t.equal(await statusOf('generateAccessToken'), 403)
    allow()
    t.equal(await statusOf('generateIdToken'), 200)

    google.denyTokenCreation(search, { member: `serviceAccount:${email}` })
    t.equal(await statusOf('generateIdToken'), 403)
    const middle = 'middle@shop-prod.iam.gserviceaccount.com'
    const delegates = [`projects/-/serviceAccounts/${middle}`]
    t.equal(await statusOf('generateIdToken', { delegates }), 200, 'who is delegated to may')
    google.denyTokenCreation(middle)
    t.equal(await statusOf('generateIdToken', { delegates }), 403, 'nobody is delegated to')
    t.throws(() => google.denyTokenCreation('nobody'), { code: 'ID_TOKEN_OPTION_INVALID' })
  },
)

t.test('the metadata server of a service', async (t) => {
  const google = await start(t, { serviceAccount: email, projectNumber: 1234567890 })
  t.equal(google.serviceAccount, email)
  const own = ACCOUNT.replace('default', email)
  const account = { aliases: ['default'], email, scopes: [CLOUD_PLATFORM, /userinfo\.email$/] }
  const rows: [path: string, status: number, body: string | RegExp | object, type?: string][] = [
    ['/', 200, 'computeMetadata/\n'],
    ['/computeMetadata/', 200, 'v1/\n'],
    ['/computeMetadata/v1/', 200, 'instance/\nproject/\nuniverse/\n'],
    ['/computeMetadata/v1/instance/', 200, 'id\nregion\nservice-accounts/\nzone\n'],
    ['/computeMetadata/v1/instance/region', 200, 'projects/1234567890/regions/us-central1'],
    ['/computeMetadata/v1/instance/zone', 200, 'projects/1234567890/zones/us-central1-1'],
    ['/computeMetadata/v1/instance/id', 200, /^\w+$/],
    ['/computeMetadata/v1/instance/service-accounts/', 200, `default/\n${email}/\n`],
    ['/computeMetadata/v1/project/project-id', 200, 'shop-prod'],
    ['/computeMetadata/v1/project/numeric-project-id', 200, '1234567890'],
    ['/computeMetadata/v1/universe/universe-domain', 200, 'googleapis.com'],
    [`${ACCOUNT}/`, 200, 'aliases\nemail\nidentity\nscopes\ntoken\n'],
    [`${ACCOUNT}/aliases`, 200, 'default\n'],
    [`${ACCOUNT}/email`, 200, email],
    [
      `${ACCOUNT}/scopes`,
      200,
      `${CLOUD_PLATFORM}\nhttps://www.googleapis.com/auth/userinfo.email\n`,
    ],
    [`${ACCOUNT}/email?recursive=true`, 200, `"${email}"`, 'application/json'],
    [`${ACCOUNT}/?recursive=true`, 200, account, 'application/json'],
    [
      '/computeMetadata/v1/?recursive=True',
      200,
      {
        instance: { serviceAccounts: { default: account, [email]: account } },
        project: { numericProjectId: 1234567890, projectId: 'shop-prod' },
        universe: { universeDomain: 'googleapis.com' },
      },
      'application/json',
    ],
    ['/computeMetadata/v1/project/project-id?alt=json', 200, '"shop-prod"', 'application/json'],
    ['/computeMetadata/v1/project/?alt=json', 200, ['numeric-project-id'], 'application/json'],
    [
      '/computeMetadata/v1/project/?recursive=true&alt=text',
      200,
      'numeric-project-id 1234567890\nproject-id shop-prod\n',
    ],
    [`${ACCOUNT}/email?recursive=true&alt=text`, 200, `${email}\n`],
    [
      `${ACCOUNT}/?recursive=true&alt=text`,
      200,
      /^aliases default\nemail .+\nscopes .+\nscopes .+\n$/,
    ],
    [`${own}/email`, 200, email],
    [`${ACCOUNT}/token`, 200, { expires_in: 3599, token_type: 'Bearer' }, 'application/json'],
    [`${own}/identity?audience=a`, 200, /^eyJ/, 'text/html'],
    [`${ACCOUNT}/identity`, 400, 'non-empty audience parameter required'],
    [`${ACCOUNT}/identity?audience=`, 400, 'non-empty audience parameter required'],
    [ACCOUNT.replace('default', `${search}/identity?audience=a`), 404, 'Not found'],
    [ACCOUNT.replace('default', `${search}/token`), 404, 'Not found'],
    [`${ACCOUNT}/email/`, 404, 'Not found'],
    [`${ACCOUNT}/email/more`, 404, 'Not found'],
    [`${ACCOUNT}/identity/`, 404, 'Not found'],
    ['/computeMetadata/v1/instance/constructor', 404, 'Not found'],
    ['/computeMetadata/v2/', 404, 'Not found'],
    ['/computeMetadata/v1/instance', 301, ''],
  ]
  for (const [path, status, body, type = 'application/text'] of rows) {
    const answer = await ask(google, path, { headers: METADATA })
    t.equal(answer.status, status, path)
    if (typeof body === 'string') t.equal(answer.text, body, path)
    else t.match(body instanceof RegExp ? answer.text : JSON.parse(answer.text), body, path)
    t.equal(answer.headers.get('metadata-flavor'), 'Google')
    t.equal(answer.headers.get('server'), 'Metadata Server for VM')
    if (status !== 301) t.match(answer.headers.get('content-type'), type, path)
  }
  const redirect = await ask(google, '/computeMetadata/v1/instance?recursive=true', {
    headers: METADATA,
  })
  t.equal(redirect.headers.get('location'), '/computeMetadata/v1/instance/?recursive=true')
  t.notOk('token' in (await ask(google, `${ACCOUNT}/?recursive=true`, { headers: METADATA })).json)
})

t.test('the metadata server answers neither browsers nor proxies', async (t) => {
  const google = await start(t)
  for (const path of ['/computeMetadata/v1/project/project-id', `${ACCOUNT}/identity?audience=a`]) {
    for (const headers of [{}, { 'metadata-flavor': 'google' }]) {
      t.match(await ask(google, path, { headers }), {
        status: 403,
        text: 'Missing required header "Metadata-Flavor": "Google"',
      })
    }
    const forwarded = { ...METADATA, 'x-forwarded-for': '192.0.2.1' }
    t.match(await ask(google, path, { headers: forwarded }), {
      status: 403,
      text: /X-Forwarded-For/,
    })
  }
  const ping = await ask(google, '/')
  t.strictSame([ping.status, ping.headers.get('metadata-flavor')], [200, 'Google'], 'the ping')
})

t.test('identity tokens: what the format and the platform say', async (t) => {
  const time = stoppedClock()
  const { clock } = time
  const service = await start(t, { serviceAccount: email, clock })
  const machine = await start(t, { serviceAccount: email, platform: 'compute-engine', clock })
  const claims = async (google: GoogleEmulator, query: string): Promise<object> => {
    const { text } = await ask(google, `${ACCOUNT}/identity?${query}`, { headers: METADATA })
    return decodeJwt(text)
  }
  const { client_id: uniqueId } = service.serviceAccountKey(email)
  const now = time.seconds()
  const standard = {
    aud: audience,
    azp: uniqueId,
    exp: now + 3600,
    iat: now,
    iss: 'https://accounts.google.com',
    sub: uniqueId,
  }
  const full = { ...standard, email, email_verified: true }
  for (const query of ['', '&format=standard', '&licenses=TRUE']) {
    t.strictSame(await claims(service, `audience=${audience}${query}`), standard)
    t.strictSame(await claims(machine, `audience=${audience}${query}`), standard)
  }
  t.strictSame(await claims(service, `format=full&audience=${audience}`), full)
  const { google, ...others } = (await claims(machine, `audience=${audience}&format=full`)) as {
    google?: object
  }
  t.strictSame(others, full)
  t.match(google, {
    compute_engine: {
      instance_creation_timestamp: now,
      instance_id: /^\d+$/,
      instance_name: String,
      project_id: 'shop-prod',
      project_number: 123456789012,
      zone: 'us-central1-a',
    },
  })
  const licensed = await claims(machine, `audience=${audience}&format=full&licenses=TRUE`)
  t.match(licensed, { google: { compute_engine: { license_id: [/^\d+$/], zone: String } } })
  t.notOk('google' in (await claims(service, `audience=a&format=full&licenses=TRUE`)))
  t.notMatch(google, { compute_engine: { license_id: Array } })
  // Clients that put the audience in as it is get what is left of it.
  t.match(await claims(service, 'audience=https://x/?a=1&b=2+3%204'), { aud: 'https://x/?a=1' })
  t.match(await claims(service, 'audience=a+b%20c%zz'), { aud: 'a b c%zz' })
  t.match(await claims(service, 'audience=https%3A%2F%2Fx%2F%3Fa%26b'), { aud: 'https://x/?a&b' })
  const answer = await ask(machine, '/computeMetadata/v1/instance/?recursive=true', {
    headers: METADATA,
  })
  t.match(answer.json, { attributes: {}, name: String, machineType: String, id: Number })
})

t.test('ID tokens last as long as they are told to, whichever endpoint gives them', async (t) => {
  const google = await start(t, { serviceAccount: email, idTokenLifetime: 90 })
  const identity = `${ACCOUNT}/identity?audience=a`
  const { text: fromMetadata } = await ask(google, identity, { headers: METADATA })
  const { json: generated } = await api(google, `-/serviceAccounts/${search}:generateIdToken`, {
    token: await accessToken(google),
    body: { audience },
  })
  const file = google.serviceAccountKey(email)
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: email, aud: file.token_uri, iat: now, exp: now + 60, target_audience: 'a' }
  const assertion = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256' })
    .sign(await importPKCS8(file.private_key, 'RS256'))
  const { json: ofKey } = await post(google, '/token', { grant_type: JWT_BEARER, assertion })
  const login = google.authorizedUser('dana@example.com')
  const { json: ofUser } = await post(google, '/token', {
    grant_type: 'refresh_token',
    client_id: login.client_id,
    client_secret: login.client_secret,
    refresh_token: login.refresh_token,
  })
  const lifetime = (token: unknown): number => {
    const { iat = NaN, exp = NaN } = decodeJwt(String(token))
    return exp - iat
  }
  const own = await google.idToken({ email, audience })
  for (const token of [fromMetadata, generated.token, ofKey.id_token, ofUser.id_token, own]) {
    t.equal(lifetime(token), 90)
  }
  t.equal(lifetime(await google.idToken({ email, audience, expiresIn: 5 })), 5, 'but its own')
})

t.test('tokeninfo tells claims as strings', async (t) => {
  const time = stoppedClock()
  const google = await start(t, { clock: time.clock })
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
  const other = await (await start(t)).idToken({ email, audience })
  for (const bad of ['x', other, await google.idToken({ audience, expiresIn: -1 })]) {
    t.match(await ask(google, `/tokeninfo?id_token=${bad}`), {
      status: 400,
      json: { error: 'invalid_token', error_description: 'Invalid Value' },
    })
  }
})

t.test('faults: answers instead of its own', async (t) => {
  const google = await start(t)
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
  const started = performance.now()
  google.fault('certs', { delayMs: 50, times: 1 })
  await certs()
  t.ok(performance.now() - started > 45, 'slow')
  google.fault('certs', { status: 500, times: 2 })
  google.fault('certs', { status: 429, times: 1 })
  const statuses = []
  for (let count = 0; count < 4; count += 1) statuses.push((await certs()).status)
  t.strictSame(statuses, [429, 500, 500, 200], 'the latest first, each as often as it says')
})

t.test('faults: which requests they are for', async (t) => {
  const google = await start(t)
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
  const google = await startGoogleEmulator()
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
  const time = stoppedClock()
  const google = await start(t, { serviceAccount: email, clock: time.clock })
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
  const google = await start(t)
  await ask(google, '/')
  const socket = connect(Number(new URL(google.url).port), '127.0.0.1').resume()
  const request = 'GET /nowhere HTTP/1.1\r\nHost: a\r\n'
  socket.write(`${`${request}\r\n`.repeat(9_999)}${request}Connection: close\r\n\r\n`)
  await once(socket, 'close')
  t.equal(google.requests.length, 10_000)
  t.equal(google.requests[0]?.path, '/nowhere')
})

t.test('listens on loopback, and elsewhere only where it is told to', async (t) => {
  for (const host of ['0.0.0.0', '192.0.2.1', 'example.com']) {
    await t.rejects(startGoogleEmulator({ host }), { message: /Option host.*allowRemote/ })
  }
  const local = await start(t, { host: 'localhost' })
  t.match(local.url, /^http:\/\/localhost:\d+$/)
  t.equal((await ask(local, '/')).status, 200)

  const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>
  const remote = await start(t, { host: '0.0.0.0', allowRemote: true })
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
  t.equal((await start(t, { port })).url, first.url)

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
  const google = await start(t)
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
    const told = async (insteadOfIt: string) => {
      const { stdout } = await runProcess('without-fastify', [insteadOfIt])
      return JSON.parse(stdout) as unknown
    }
    const [missing, broken] = await Promise.all([
      told('not-installed'),
      told('data:text/javascript,throw new Error("out of order")'),
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
