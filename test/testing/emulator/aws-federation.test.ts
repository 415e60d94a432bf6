/** Workload identity federation for workloads on AWS. */
import { GoogleAuth } from 'google-auth-library'
import { decodeJwt } from 'jose'
import t from 'tap'
import { createServiceClient } from '../../../src/client.ts'
import { post, startEmulator, tokenExchange } from '../../helpers/emulator.ts'
import { setEnvironment } from '../../helpers/environment.ts'
import { audience, login as email, search } from '../../helpers/shop.ts'

const ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE'
const ARN = `arn:aws:iam::123456789012:user/${ACCESS_KEY}`

const google = await startEmulator(t)
setEnvironment(t, {
  AWS_ACCESS_KEY_ID: ACCESS_KEY,
  AWS_SECRET_ACCESS_KEY: 'a secret that nobody verifies',
  AWS_REGION: 'us-east-1',
})

t.test('google-auth-library signs a request, and the client gets an ID token for it', async (t) => {
  const direct = { ...google.workloadIdentityConfig(email, { aws: true, impersonate: false }) }
  const rows = [
    [google.workloadIdentityConfig(email, { aws: true }), undefined],
    [direct, { email, endpoint: google.url }],
  ] as const
  for (const [config, serviceAccount] of rows) {
    const auth = new GoogleAuth({ credentials: { ...config }, projectId: 'shop-prod' })
    const client = createServiceClient({ url: audience, auth, serviceAccount })
    t.match(decodeJwt(await client.idToken()), { aud: audience, email, email_verified: true })
    client.close()
  }
})

t.test('the caller is an AWS user with the name of the access key', async (t) => {
  const { audience: provider } = google.workloadIdentityConfig(email, { aws: true })
  const pool = provider.replace(/\/providers\/.*/, '')
  const allow = google.denyTokenCreation(email, { member: `principal:${pool}/subject/${ARN}` })
  const credentials = { ...google.workloadIdentityConfig(email, { aws: true }) }
  const auth = new GoogleAuth({ credentials, projectId: 'shop-prod' })
  const client = createServiceClient({ url: audience, auth })
  await t.rejects(client.idToken(), { code: 'SERVICE_CLIENT_PERMISSION_DENIED' })
  allow()
  t.match(decodeJwt(await client.idToken()), { email })
  client.close()
})

t.test('the STS reads the request that is the subject token', async (t) => {
  const config = google.workloadIdentityConfig(search, { aws: true })
  t.match(config, {
    subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
    credential_source: {
      environment_id: 'aws1',
      regional_cred_verification_url: /^https:\/\/sts\.\{region\}\.amazonaws\.com\?Action=/,
    },
  })
  const authorization = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/20260301/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=0`
  const headers = {
    Authorization: authorization,
    host: 'sts.us-east-1.amazonaws.com',
    'x-amz-date': '20260301T120000Z',
    'x-goog-cloud-target-resource': config.audience,
  }
  const url = 'https://sts.us-east-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15'
  const listOf = (fields: object): object[] =>
    Object.entries({ ...headers, ...fields })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ({ key, value: value as unknown }))
  const serialized = (request: object): string =>
    encodeURIComponent(JSON.stringify({ url, method: 'POST', headers: listOf({}), ...request }))
  const exchange = (subjectToken: string, fields: object = {}) =>
    post(google, '/v1/token', JSON.stringify({ ...tokenExchange(config, subjectToken), ...fields }))

  t.match(await exchange(serialized({})), { status: 200, json: { access_token: /^ya29\./ } })
  const elsewhere = 'https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15'
  t.equal((await exchange(serialized({ url: elsewhere }))).status, 200, 'the global endpoint')

  const { audience: otherProvider } = google.workloadIdentityConfig(search)
  const refused: [name: string, request: object | string][] = [
    ['no percent-encoding', '%'],
    ['no JSON', 'x'],
    ['another method', { method: 'GET' }],
    ['no URL', { url: undefined }],
    ['another host', { url: url.replace('amazonaws.com', 'example.com') }],
    ['another action', { url: url.replace('GetCallerIdentity', 'AssumeRole') }],
    ['no headers', { headers: undefined }],
    ['headers that are none', { headers: [null, 'x'] }],
    ['no signature', { headers: listOf({ Authorization: undefined }) }],
    ['another signature', { headers: listOf({ Authorization: 'Bearer x' }) }],
    ['no date', { headers: listOf({ 'x-amz-date': undefined }) }],
    ['no provider', { headers: listOf({ 'x-goog-cloud-target-resource': undefined }) }],
    ['another provider', { headers: listOf({ 'x-goog-cloud-target-resource': otherProvider }) }],
  ]
  for (const [name, request] of refused) {
    const token = typeof request === 'string' ? request : serialized(request)
    t.match(await exchange(token), { status: 400, json: { error: 'invalid_grant' } }, name)
  }

  const invalid = { status: 400, json: { error: 'invalid_request' } }
  const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
  t.match(await exchange(serialized({}), { subjectTokenType: jwtType }), invalid, 'another type')
  t.match(await exchange(serialized({}), { audience: otherProvider }), invalid, 'not for AWS')
})

t.test('a workload has its subject token from one place', (t) => {
  const wrong: [options: object, message: RegExp][] = [
    [{ aws: 'yes' }, /Option aws is 'yes'/],
    [{ aws: true, subjectTokenFile: 'token' }, /Option aws is true; accepted: false where/],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => google.workloadIdentityConfig(email, options), { message })
  }
  const file = google.workloadIdentityConfig(email, { aws: false, subjectTokenFile: 'token' })
  t.same(file.credential_source, { file: 'token' })
  t.end()
})
