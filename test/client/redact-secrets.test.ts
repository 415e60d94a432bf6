import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import { redactSecrets } from '../../src/client/redact-secrets.ts'
import { holdsPartOf } from '../helpers/captured-log.ts'
import { errorOf } from '../helpers/client-helpers.ts'

const hex = '9f86d081884c7d659a2feaa0c55ad015'
const uuid = '550e8400-e29b-41d4-a716-446655440000'
const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl'
const gone = '[redacted]'

t.test('what is a secret is not shown, and what is around it is', async (t) => {
  for (const [said, shown] of [
    // By the word before it.
    ['client_secret hunter2 is wrong', `client_secret ${gone} is wrong`],
    ['client_secret=hunter2&grant_type=x', `client_secret=${gone}&grant_type=x`],
    ['client_secret: hunter2, try again', `client_secret: ${gone}, try again`],
    ['{"client_secret":"hunter2","error":"x"}', `{"client_secret":"${gone}","error":"x"}`],
    ['{"client_secret": "hun,t er2"} x', `{"client_secret": "${gone}"} x`],
    ['{"password":"hun\\"ter2","a":1}', `{"password":"${gone}","a":1}`],
    ['"{\\"password\\":\\"hunter2\\",\\"a\\":1}"', `"{\\"password\\":\\"${gone}\\",\\"a\\":1}"`],
    ["{'password': 'hunter2'}", `{'password': '${gone}'}`],
    ['{"password":"hunter2', `{"password":"${gone}`],
    ['{"password":"hunter2\\"', `{"password":"${gone}`],
    ['the password is hunter2.', `the password is ${gone}`],
    ['password was: hunter2', `password was: ${gone}`],
    ['password (hunter2) refused', `password (${gone}) refused`],
    ['password "hunter2" refused', `password "${gone}" refused`],
    ['password=is', `password=${gone}`],
    ['passphrase => hunter2', `passphrase => ${gone}`],
    ['<password>hunter2</password>', `<password>${gone}</password>`],
    ['GOOGLE_CLIENT_SECRET=hunter2', `GOOGLE_CLIENT_SECRET=${gone}`],
    ['accessToken: hunter2', `accessToken: ${gone}`],
    ['X-Goog-Api-Key: hunter2', `X-Goog-Api-Key: ${gone}`],
    ['params.subject_token=hunter2;x', `params.subject_token=${gone};x`],
    ['refresh_token hunter2', `refresh_token ${gone}`],
    ['id_token:hunter2', `id_token:${gone}`],
    ['assertion=hunter2', `assertion=${gone}`],
    ['token=hunter2', `token=${gone}`],
    ['secret: hunter2', `secret: ${gone}`],
    ['Authorization: Bearer hunter2 was sent', `Authorization: Bearer ${gone} was sent`],
    ['Authorization: Basic aHVudGVyMg== x', `Authorization: Basic ${gone} x`],
    ['"authorization":"Bearer hunter2"', `"authorization":"${gone}"`],
    ['"authorization":["Bearer hunter2"]', `"authorization":["${gone}"]`],
    ['authorization=Bearer hunter2', `authorization=Bearer ${gone}`],
    ['bearer token hunter2', `bearer token ${gone}`],
    ['Authorization: Bearer', `Authorization: ${gone}`],
    ['Cookie: a=1; sid=hunter2', `Cookie: ${gone}`],
    ['client_\u200bsecret=hunter2', `client_ secret=${gone}`],
    // By its form.
    [`key ${hex}`, `key ${gone}`],
    [`key ${hex.toUpperCase()}.`, `key ${gone}.`],
    [`id_${hex}`, `id_${gone}`],
    ['1'.repeat(32), gone],
    [`for ${uuid}`, `for ${gone}`],
    [`key-${uuid}/x`, `key${gone}/x`],
    [`got ${jwt}, no`, `got ${gone}, no`],
    ['ya29.a0AfH6 expired', `${gone} expired`],
    ['of 1//0gabc-def', `of ${gone}`],
    ['code 4/0AX4XfWh', `code ${gone}`],
    ['GOCSPX-abcdef', gone],
    ['Abcdefghijklmnopqrs7', gone],
    ['x'.repeat(40), gone],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nx', `${gone} x`],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', gone],
    // URLs.
    [
      'at https://sts.example/v1/token?access_token=hunter2',
      `at https://sts.example/v1/token?${gone}`,
    ],
    ['at https://sts.example/v1#hunter2 x', `at https://sts.example/v1#${gone} x`],
    ['at https://me:hunter2@sts.example/v1', 'at https://sts.example/v1'],
    ['GET /v1/token?code=hunter2', `GET /v1/token?${gone}`],
    ['GET /v1#hunter2', `GET /v1#${gone}`],
    ['v1/token?x=hunter2', `v1/token?${gone}`],
    ['"https://a.example/?x=1", then', `"https://a.example/?${gone}", then`],
  ] as const) {
    t.equal(redactSecrets(said), shown)
  }
})

t.test('what an operator needs is shown as it is', async (t) => {
  for (const said of [
    'invalid_grant: Bad Request',
    'invalid_token: The token has expired',
    'expired_token: Reauthenticate',
    'HTTP 403 PERMISSION_DENIED',
    `Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).`,
    'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    'Invalid JWT Signature.',
    'access_token is required; subject_token has expired, id_token invalid',
    'client_secret is missing. The authorization code was already used.',
    'Bearer realm="x", error="invalid_token"',
    'Bearer token missing',
    'password: missing',
    'target_audience?',
    'login@shop-prod.iam.gserviceaccount.com and 123456789012-compute@developer.gserviceaccount.com',
    'unique id 117000000000000000001',
    'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/login@shop-prod.iam.gserviceaccount.com:generateIdToken',
    'https://user-profiles-of-the-whole-shop-abc123xyz-uc.a.run.app/v1/profiles',
    '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github',
    'request to http://169.254.169.254/computeMetadata/v1/instance failed, reason: connect ECONNREFUSED 127.0.0.1:8080',
    'set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES to 1',
    'Unexpected token < in JSON at position 0',
    'Could not load the default credentials. Browse to https://cloud.google.com/docs/authentication/getting-started for more information.',
    'The file at /etc/none.json does not exist, or it is not a file.',
    'Is it 2026-11-24T15:33:37.000Z?',
    'really?',
    '',
  ]) {
    t.equal(redactSecrets(said), said)
  }
})

t.test('one line of bounded length, whatever comes', async (t) => {
  const said = redactSecrets('a\r\nb\u2028c\u0000d\u001b[31me\u202ef \ud800 g')
  t.equal(said, 'a b c d [31me f g')
  for (const text of ['many words '.repeat(500), '🙂 '.repeat(200), `aa${'🙂 '.repeat(200)}`]) {
    const shown = redactSecrets(text)
    t.ok(shown.length <= 301)
    t.match(shown, /…$/)
    t.notMatch(shown, /\p{Cs}/u)
  }
})

t.test('a secret that goes on beyond what is read is not shown in part', async (t) => {
  const secret = 'correct horse battery staple'.replaceAll(' ', '')
  for (const before of ['Bearer x '.repeat(500), '1'.repeat(4000), '[{('.repeat(1400)]) {
    for (let length = 4096 - secret.length; length <= 4096; length += 1) {
      const text = `${before.slice(0, length)} ${secret}`
      t.notOk(holdsPartOf(secret, redactSecrets(`${text}${'z'.repeat(40)}`)))
    }
  }
  t.equal(redactSecrets('a'.repeat(5000)), '')
})

t.test('random secrets of every common form', async (t) => {
  for (let round = 0; round < 200; round += 1) {
    for (const secret of [
      randomBytes(16).toString('hex'),
      randomBytes(32).toString('hex'),
      randomBytes(32).toString('base64url'),
      randomBytes(48).toString('base64url'),
      randomUUID(),
    ]) {
      for (const text of [
        secret,
        `it said "${secret}".`,
        `https://a.example/${secret}/b?x=${secret}`,
        `["${secret}"]`,
        `${secret}, and ${secret}`,
      ]) {
        t.notOk(holdsPartOf(secret, redactSecrets(text)), text)
      }
    }
  }
})

t.test('a megabyte of anything becomes a line of bounded length', async (t) => {
  const size = 2 ** 20
  for (const part of [
    'a',
    'A_',
    'a1-',
    '://',
    '?',
    '@',
    '"',
    '\\"',
    '-----BEGIN',
    '-----BEGIN-----END',
    'password ',
    'password is ',
    'password "',
    'Bearer Bearer ',
    'eyJ',
    '1//',
    ' ',
    '\n',
    '\ud800',
  ]) {
    const text = part.repeat(size / part.length)
    t.ok(redactSecrets(text).length <= 301, JSON.stringify(part))
  }
})

t.test('the error of a call holds no more than that', async (t) => {
  const url = 'https://user-profiles-abc123-uc.a.run.app'
  const words = `client_secret hunter2\nfor ${uuid} at https://a.example/x?access_token=abc\n`
  const auth = { fetchIdToken: () => Promise.reject(new Error(words)) }
  const { detail } = await errorOf(createServiceClient({ url, auth }).idToken())
  t.equal(detail.reason, `client_secret ${gone} for ${gone} at https://a.example/x?${gone}`)
})

t.test('a URL of another origin is named, and no more of it than fits', async (t) => {
  const { fetch } = createServiceClient({ url: 'https://user-profiles-abc123-uc.a.run.app' })
  const { detail } = await errorOf(fetch('https://search-abc123-uc.a.run.app/x?token=hunter2'))
  t.equal(
    detail.reason,
    'it is of https://search-abc123-uc.a.run.app, not https://user-profiles-abc123-uc.a.run.app',
  )
  const long = await errorOf(fetch(`https://${'a'.repeat(100_000)}.example/`))
  t.equal(long.code, 'SERVICE_CLIENT_URL_NOT_ALLOWED')
  t.ok((long.detail.reason ?? '').length <= 301)
})
