/** The endpoints that give tokens: what they verify, and what they refuse as Google does. */
import { decodeJwt, importPKCS8, SignJWT } from 'jose'
import t from 'tap'
import {
  accessToken,
  api,
  ask,
  CLOUD_PLATFORM,
  JWT_BEARER,
  post,
  startEmulator,
  tokenExchange,
} from '../../helpers/emulator.ts'
import { audience, login as email, search } from '../../helpers/shop.ts'
import { stoppedClock } from '../../helpers/stopped-clock.ts'

t.test('the token endpoint verifies assertions', async (t) => {
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const google = await startEmulator(t, { clock: time.clock })
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

t.test('the token endpoint refuses invalid and unsupported requests', async (t) => {
  const google = await startEmulator(t)
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
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const google = await startEmulator(t, { clock: time.clock })
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
  const good = tokenExchange(config, subjectToken)
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
    [{ subjectToken: await (await startEmulator(t)).subjectToken(email) }, 'invalid_grant'],
  ]
  for (const [fields, error] of refused) {
    t.match(await exchange(fields), { status: 400, json: { error } }, Object.keys(fields).join())
  }
  t.match(await post(google, '/v1/token', '[]'), { status: 400 }, 'a list')
  time.pass(3601)
  t.match(await exchange({}), { status: 400, json: { error: 'invalid_grant' } }, 'expired')
})

t.test('generateIdToken: the claims that are asked for', async (t) => {
  const google = await startEmulator(t, { serviceAccount: email })
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
  const inOrganization = await startEmulator(t, { organizationNumber: 987654321 })
  const answer = await api(inOrganization, `-/serviceAccounts/${search}:generateIdToken`, {
    token: await accessToken(inOrganization),
    body: { audience, organizationNumberIncluded: true },
  })
  t.match(decodeJwt(String(answer.json.token)), { google: { organization_number: 987654321 } })
})

t.test('generateAccessToken: a token that says how long it lasts, and lasts so long', async (t) => {
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const google = await startEmulator(t, { clock: time.clock })
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
  const google = await startEmulator(t, { serviceAccount: email })
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
    const google = await startEmulator(t, { serviceAccount: email })
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
