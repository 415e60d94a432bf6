/** The metadata server, and the tokens that it gives. */
import { decodeJwt, importPKCS8, SignJWT } from 'jose'
import t from 'tap'
import { type GoogleEmulator } from '../../../src/testing.ts'
import {
  accessToken,
  ACCOUNT,
  api,
  ask,
  CLOUD_PLATFORM,
  JWT_BEARER,
  METADATA,
  post,
  startEmulator,
} from '../../helpers/emulator.ts'
import { audience, login as email, search } from '../../helpers/shop.ts'
import { stoppedClock } from '../../helpers/stopped-clock.ts'

t.test('the metadata server of a service', async (t) => {
  const google = await startEmulator(t, { serviceAccount: email, projectNumber: 1234567890 })
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
  const google = await startEmulator(t)
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
  const time = stoppedClock('2026-03-01T12:00:00Z')
  const { clock } = time
  const service = await startEmulator(t, { serviceAccount: email, clock })
  const machine = await startEmulator(t, {
    serviceAccount: email,
    platform: 'compute-engine',
    clock,
  })
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

t.test('ID tokens last for idTokenLifetime, whichever endpoint gives them', async (t) => {
  const google = await startEmulator(t, { serviceAccount: email, idTokenLifetime: 90 })
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
