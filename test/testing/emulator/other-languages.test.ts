/**
 * The requests of Google's clients in Python, Go and Java: recorded from google-auth 2.59.1, and as
 * the sources of cloud.google.com/go/compute/metadata, golang.org/x/oauth2 and
 * google-auth-library-oauth2-http make them. What each client reads of an answer is what is tested.
 */
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, importPKCS8, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { ACCOUNT, CLOUD_PLATFORM, JWT_BEARER, startEmulator } from '../../helpers/emulator.ts'
import { audience, login as email, search } from '../../helpers/shop.ts'

const google = await startEmulator(t, { serviceAccount: email, platform: 'compute-engine' })
const key = google.serviceAccountKey(email)

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { redirect: 'error', ...init })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** As clients read JSON: of a good answer that says it is. */
function json(t: Test, { status, headers, text }: Answer): Record<string, unknown> {
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^application\/json/)
  return JSON.parse(text) as Record<string, unknown>
}

/** As clients read anything else. */
function text(t: Test, { status, headers, text }: Answer): string {
  t.equal(status, 200)
  t.notMatch(headers.get('content-type'), /json/)
  t.equal(headers.get('metadata-flavor'), 'Google')
  return text
}

/** An assertion for an ID token, its times as the client sets them. */
async function assertion(claims: object): Promise<string> {
  return new SignJWT({ iss: email, target_audience: audience, ...claims })
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: key.private_key_id })
    .sign(await importPKCS8(key.private_key, 'RS256'))
}

/** Seconds. */
const now = (): number => Math.floor(Date.now() / 1000)

function postForm(url: string, headers: Record<string, string>, form: Record<string, string>) {
  const body = new URLSearchParams(form).toString()
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return ask(url, { method: 'POST', headers: { ...type, ...headers }, body })
}

t.test('Python', async (t) => {
  const host = String(google.env.GCE_METADATA_HOST)
  const metadata = (path: string, root = `http://${host}`) =>
    ask(`${root}${path}`, {
      headers: { 'User-Agent': 'python-requests/2.34.2', 'metadata-flavor': 'Google' },
    })
  const ping = await metadata('', `http://${String(google.env.GCE_METADATA_IP)}`)
  t.strictSame([ping.status, ping.headers.get('metadata-flavor')], [200, 'Google'])
  const info = json(t, await metadata(`${ACCOUNT}/?recursive=true`))
  t.match(info, { email, aliases: ['default'], scopes: [CLOUD_PLATFORM] })
  t.equal(text(t, await metadata('/computeMetadata/v1/project/project-id')), 'shop-prod')
  t.equal(text(t, await metadata('/computeMetadata/v1/universe/universe-domain')), 'googleapis.com')
  const identity = new URLSearchParams({ audience, format: 'full' }).toString()
  const token = text(t, await metadata(`${ACCOUNT}/identity?${identity}`))
  t.match(decodeJwt(token), { aud: audience, email, exp: Number })
  const scopes = encodeURIComponent(CLOUD_PLATFORM)
  const access = json(t, await metadata(`${ACCOUNT}/token?scopes=${scopes}`))
  t.match(access, { access_token: /^ya29\./, expires_in: 3599 })

  const iat = now()
  const aud = 'https://oauth2.googleapis.com/token'
  const ofKey = await postForm(
    key.token_uri,
    {},
    {
      assertion: await assertion({ iat, exp: iat + 3600, aud }),
      grant_type: JWT_BEARER,
    },
  )
  const idToken = String(json(t, ofKey).id_token)
  // google.oauth2.id_token verifies with the X.509 certificates.
  const certificates = json(t, await ask(key.auth_provider_x509_cert_url, {}))
  const { kid = '' } = decodeProtectedHeader(idToken)
  const [head, payload, signature = ''] = idToken.split('.')
  t.ok(
    verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${payload}`),
      new X509Certificate(String(certificates[kid])).publicKey,
      Buffer.from(signature, 'base64url'),
    ),
  )

  const config = google.workloadIdentityConfig(email)
  const { url, format } = config.credential_source as {
    url: string
    format: { subject_token_field_name: string }
  }
  const subject = json(t, await ask(url, { headers: { 'User-Agent': 'python-requests/2.34.2' } }))
  const sts = await postForm(
    config.token_url,
    {},
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: config.audience,
      scope: 'https://www.googleapis.com/auth/iam',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: String(subject[format.subject_token_field_name]),
      subject_token_type: config.subject_token_type,
    },
  )
  const postJson = (url: string, token: unknown, body: object) =>
    ask(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', authorization: `Bearer ${String(token)}` },
      body: JSON.stringify(body),
    })
  const impersonated = json(
    t,
    await postJson(String(config.service_account_impersonation_url), json(t, sts).access_token, {
      delegates: null,
      scope: ['https://www.googleapis.com/auth/iam'],
      lifetime: '3600s',
    }),
  )
  t.match(impersonated.expireTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'all that strptime takes')
  const generated = json(
    t,
    await postJson(
      `${google.url}/v1/projects/-/serviceAccounts/${search}:generateIdToken`,
      impersonated.accessToken,
      { audience, delegates: null, includeEmail: 'true', useEmailAzp: 'true' },
    ),
  )
  t.match(decodeJwt(String(generated.token)), { aud: audience, azp: search, email: search })
})

t.test('Go', async (t) => {
  const metadata = (suffix: string) =>
    ask(`http://${String(google.env.GCE_METADATA_HOST)}/computeMetadata/v1/${suffix}`, {
      headers: { 'Metadata-Flavor': 'Google', 'User-Agent': 'gcloud-golang/0.1' },
    })
  t.equal(text(t, await metadata('project/project-id')).trim(), 'shop-prod')
  t.equal(text(t, await metadata('project/numeric-project-id')).trim(), '123456789012')
  t.equal(text(t, await metadata('instance/service-accounts/default/email')).trim(), email)
  t.match(text(t, await metadata('instance/zone')), /^projects\/123456789012\/zones\/[\w-]+$/)
  const scopes = text(t, await metadata('instance/service-accounts/default/scopes'))
  t.equal(scopes.trim().split('\n')[0], CLOUD_PLATFORM)
  t.equal((await metadata('instance/attributes/cluster-name')).status, 404, 'is not defined')
  const account = 'instance/service-accounts/default'
  const access = json(t, await metadata(`${account}/token?scopes=${CLOUD_PLATFORM}%2Copenid`))
  t.match(access, { access_token: /^ya29\./, expires_in: Number, token_type: 'Bearer' })
  const query = new URLSearchParams({ audience, format: 'full' }).toString()
  const identity = text(t, await metadata(`${account}/identity?${query}`))
  t.match(decodeJwt(identity), { aud: audience, email })

  // golang.org/x/oauth2/jwt: its clock is ten seconds slow on purpose, and `aud` is the token_uri.
  const iat = now() - 10
  const ofKey = await postForm(
    key.token_uri,
    { 'User-Agent': 'Go-http-client/1.1' },
    {
      assertion: await assertion({ iat, exp: iat + 3600, aud: key.token_uri }),
      grant_type: JWT_BEARER,
    },
  )
  const { id_token: idToken } = json(t, ofKey) as { id_token: string }
  t.match(decodeJwt(idToken), { aud: audience, azp: email })
  // google.golang.org/api/idtoken verifies with the JWK set.
  const { keys } = json(t, await ask(google.jwksUri, {})) as unknown as {
    keys: { kid: string; n: string; e: string }[]
  }
  const jwk = keys.find(({ kid }) => kid === decodeProtectedHeader(idToken).kid)
  if (jwk === undefined) throw new Error('the key is not published')
  const { n, e } = jwk
  const publicKey = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' })
  const [head, payload, signature = ''] = idToken.split('.')
  const signed = Buffer.from(`${head}.${payload}`)
  t.ok(verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url')))
})

t.test('Java', async (t) => {
  const server = `http://${String(google.env.GCE_METADATA_HOST)}`
  const own = { 'User-Agent': 'Google-HTTP-Java-Client/1.47.0 (gzip)', 'Accept-Encoding': 'gzip' }
  const metadata = (path: string) =>
    ask(`${server}${path}`, { headers: { ...own, 'Metadata-Flavor': 'Google' } })
  const ping = await metadata('')
  t.strictSame([ping.status, ping.headers.get('metadata-flavor')], [200, 'Google'])
  t.equal(text(t, await metadata('/computeMetadata/v1/universe/universe-domain')), 'googleapis.com')
  t.equal(text(t, await metadata(`${ACCOUNT}/email`)), email)
  const accounts = json(
    t,
    await metadata('/computeMetadata/v1/instance/service-accounts/?recursive=true'),
  )
  t.match(accounts, { default: { email } }, 'as older versions ask for the email')
  const access = json(t, await metadata(`${ACCOUNT}/token?scopes=${CLOUD_PLATFORM},openid`))
  t.match(access, { access_token: /^ya29\./, expires_in: Number })
  const plain = text(t, await metadata(`${ACCOUNT}/identity?audience=${audience}`))
  t.notOk('email' in decodeJwt(plain), 'as without FORMAT_FULL')
  const licensed = text(
    t,
    await metadata(`${ACCOUNT}/identity?format=full&licenses=TRUE&audience=${audience}`),
  )
  t.match(decodeJwt(licensed), { email, google: { compute_engine: { license_id: [String] } } })

  const iat = now()
  const aud = 'https://oauth2.googleapis.com/token'
  const ofKey = await postForm(
    key.token_uri,
    { ...own, 'cache-control': 'no-store' },
    {
      grant_type: JWT_BEARER,
      assertion: await assertion({ iat, exp: iat + 3600, aud }),
    },
  )
  t.match(decodeJwt(String(json(t, ofKey).id_token)), { aud: audience, email })
  const generated = await ask(
    `${google.url}/v1/projects/-/serviceAccounts/${search}:generateIdToken`,
    {
      method: 'POST',
      headers: {
        ...own,
        Authorization: `Bearer ${String(access.access_token)}`,
        'Content-Type': 'application/json; charset=UTF-8',
      },
      body: JSON.stringify({ audience, includeEmail: true, delegates: [], useEmailAzp: true }),
    },
  )
  t.match(decodeJwt(String(json(t, generated).token)), { email: search, azp: search })
  const denied = await ask(
    `${google.url}/v1/projects/-/serviceAccounts/${search}:generateIdToken`,
    { method: 'POST', headers: own },
  )
  t.match(JSON.parse(denied.text), { error: { message: String } }, 'what its exception tells')
})
