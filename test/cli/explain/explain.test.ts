import t from 'tap'
import { OUTCOMES } from '../../../src/errors/outcomes.ts'
import type { TestIdToken } from '../../../src/testing.ts'
import { jsonOf, runVerb, type Ran } from '../../helpers/command-line.ts'
import { startEmulator } from '../../helpers/emulator.ts'
import { otherIssuer } from '../../helpers/issuer.ts'

const AUDIENCE = 'https://orders-abc123-uc.a.run.app'
const LOGIN = 'login@shop-prod.iam.gserviceaccount.com'
const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE'

const google = await startEmulator(t)
const OPTIONS = ['--audience', AUDIENCE, '--jwks-uri', google.jwksUri, '--allowed-caller', LOGIN]

const token = (changes: Partial<TestIdToken> = {}): Promise<string> =>
  google.idToken({ audience: AUDIENCE, email: LOGIN, ...changes })
const stripped = (jwt: string): string => `${jwt.slice(0, jwt.lastIndexOf('.'))}.${REMOVED}`

/** Runs it as text and as JSON; neither may hold the token. */
async function explain(
  input: string,
  ...args: string[]
): Promise<{ text: Ran; json: Record<string, unknown> }> {
  const all = ['explain', '-', ...OPTIONS, ...args]
  const text = await runVerb(all, { stdin: input })
  const json = await runVerb([...all, '--json'], { stdin: input })
  for (const segment of input.match(/eyJ[\w-]+|ya29[\w.-]+|[\w-]{60,}/g) ?? []) {
    t.notMatch(`${text.stdout}${text.stderr}${json.stdout}${json.stderr}`, segment)
  }
  return { text, json: jsonOf(json) }
}

const mistakes: Record<string, { input: () => Promise<string>; args?: string[]; said: RegExp }> = {
  'no email': {
    input: () => token({ email: undefined }),
    said: /ID_TOKEN_CALLER_UNIDENTIFIED|format=full \(metadata server\)/,
  },
  "a person's gcloud token": {
    input: () => token({ audience: '32555940559.apps.googleusercontent.com' }),
    said: /a person's own gcloud login/,
  },
  'an access token': {
    input: async () => 'Authorization: Bearer ya29.a0AfB_byC-abcdefghijklmnop',
    said: /an OAuth access token, ya29/,
  },
  IAP: {
    input: async () =>
      `X-Serverless-Authorization: Bearer ${stripped(
        await token({ email: 'service-1@gcp-sa-iap.iam.gserviceaccount.com' }),
      )}`,
    said: /came through Identity-Aware Proxy.*iap: \{ audience \}/,
  },
  Firebase: {
    input: () =>
      otherIssuer.idToken({
        audience: AUDIENCE,
        claims: { iss: 'https://securetoken.google.com/shop' },
      }),
    said: /a Firebase or Identity Platform user/,
  },
  'tag URL': {
    input: () => token({ audience: 'https://green---orders-abc123-uc.a.run.app' }),
    said: /the URL of a tagged revision/,
  },
  'trailing slash': {
    input: () => token({ audience: `${AUDIENCE}/v1/` }),
    args: ['--audience', `${AUDIENCE}/v1`],
    said: /differ in a slash at the end/,
  },
  'full URL': {
    input: () => token({ audience: `${AUDIENCE}/orders/42?x=1` }),
    said: /the full URL of a request/,
  },
  'no https://': {
    input: () => token({ audience: 'orders-abc123-uc.a.run.app' }),
    said: /has no https:\/\//,
  },
  'stripped signature': {
    input: async () => `> x-serverless-authorization: Bearer ${stripped(await token())}`,
    said: /the same token in both headers/,
  },
  'a clock that is behind': {
    input: () => token({ claims: { iat: Math.floor(Date.now() / 1000) + 400 } }),
    said: /iat \d+, 6 minutes \d+ seconds from now[^]*the clock of this machine is behind/,
  },
  'a clock that is ahead, or an old token': {
    input: () => token({ expiresIn: -7500 }),
    said: /2 hours 5 minutes[^]*the clock of this machine is ahead/,
  },
  'unknown kid': {
    input: () => otherIssuer.idToken({ audience: AUDIENCE }),
    said: /the token is not signed by this issuer/,
  },
  'wrong header': {
    input: async () => `GET / HTTP/1.1\nHost: a\nX-Auth-Token: ${await token()}\n\nbody`,
    said: /looks like a token is in x-auth-token, which nobody reads[^]*"Authorization: Bearer <ID token>"/,
  },
}

for (const [name, { input, args = [], said }] of Object.entries(mistakes)) {
  t.test(`the classic mistake is named: ${name}`, async (t) => {
    const { text, json } = await explain(await input(), ...args)
    t.equal(text.code, 1)
    t.match(text.stdout, said)
    t.match(text.stdout, /FAIL {9}\w+/)
    const failed = (json.checks as { result: string; remedy: string }[]).find(
      ({ result }) => result === 'fail',
    )
    t.ok(text.stdout.includes(String(failed?.remedy)))
    t.equal(json.accepted, false)
  })
}

t.test('an accepted token: every check, who calls, and the times in words', async (t) => {
  const { text, json } = await explain(await token())
  t.equal(text.code, 0)
  t.match(text.stdout, /^Header {2}authorization: a token alone/)
  t.match(text.stdout, new RegExp(`aud ${AUDIENCE}, email ${LOGIN}, sub \\d+, issued .* ago`))
  t.match(text.stdout, /expires in (?:1 hour|59 minutes)/)
  t.equal(text.stdout.match(/^pass/gm)?.length, 11)
  t.match(text.stdout, `Accepted: ${LOGIN}`)
  t.match(json, { accepted: true, code: null, status: null, caller: { email: LOGIN } })
})

t.test('without a list, the token is good and the answer says what was not checked', async (t) => {
  const good = await runVerb(['explain', await token(), ...OPTIONS.slice(0, 4)])
  t.equal(good.code, 0)
  t.match(good.stdout, 'not reached  caller')
  t.notMatch(good.stdout, 'Accepted')
  t.match(
    good.stdout,
    new RegExp(
      `\nThe token is good: ${LOGIN} .*\nNo list was given, .*: --allowed-caller CALLER\n$`,
    ),
  )
  const { stdout, code } = await runVerb([
    'explain',
    await token({ email: undefined }),
    ...OPTIONS.slice(0, 4),
  ])
  t.equal(code, 0)
  t.match(stdout, 'not reached  caller')
  t.match(
    stdout,
    /The token is good: unique id \d+, without a verified email\n.*\nBut the token has no verified/,
  )
  t.ok(stdout.includes(OUTCOMES.ID_TOKEN_CALLER_UNIDENTIFIED.remedy))
})

t.test('a listed unique id needs no email, and nothing is said about one', async (t) => {
  const input = await token({ email: undefined, subject: '123456789012345678901' })
  const { text, json } = await explain(input, '--allowed-caller', '123456789012345678901')
  t.match(text, { code: 0, stdout: /\nAccepted: unique id 123456789012345678901/ })
  t.notMatch(text.stdout, 'But')
  t.match(json, { accepted: true, hint: null })
})

t.test('a person is named by the email alone, or as gcloud does', async (t) => {
  const { text } = await explain(await token({ email: 'ada@example.com' }))
  t.match(text.stdout, 'ID_TOKEN_CALLER_NOT_ALLOWED, status 403')
  const input = await token({ email: 'ada@example.com' })
  for (const person of ['ada@example.com', 'user:ada@example.com']) {
    t.equal((await explain(input, '--allowed-caller', person)).text.code, 0)
  }
  t.match(await runVerb(['explain', 'x', ...OPTIONS, '--allowed-caller', '*']), {
    code: 2,
    stderr: /allowedCallers\[1\] is '\*'/,
  })
})

t.test('without keys nothing is decided, and an audience that is wrong is named', async (t) => {
  t.teardown(google.fault('certs', { status: 500 }))
  t.teardown(google.fault('iapCerts', { status: 500 }))
  const wrong = 'https://search-abc123-uc.a.run.app'
  const { text, json } = await explain(await token({ audience: wrong }))
  t.match(text, { code: 1, stderr: '' })
  t.match(text.stdout, /found .*500[^]*remedy .*--jwks-uri/)
  t.match(
    text.stdout,
    `\nNot verified: there are no keys (ID_TOKEN_KEYS_UNAVAILABLE)\nBut even with keys it would be refused: its audience is ${wrong}, and accepted is ${AUDIENCE}\n`,
  )
  t.match(json, { accepted: false, code: 'ID_TOKEN_KEYS_UNAVAILABLE' })
  t.notMatch((await explain(await token())).text.stdout, 'But')
  const iap = '/projects/1/global/backendServices/2'
  for (const [audience, hint] of [
    [iap, null],
    ['/projects/1/apps/other', /its audience is \/projects\/1\/apps\/other, and accepted is \/p/],
  ] as const) {
    const assertion = await google.iapAssertion({ audience, email: 'ada@example.com' })
    const options = ['--iap-audience', iap, '--iap-jwks-uri', google.iapJwksUri]
    t.match((await explain(`X-Goog-IAP-JWT-Assertion: ${assertion}`, ...options)).json, { hint })
  }
})

t.test('the choice of the header is explained', async (t) => {
  const jwt = await token()
  for (const [head, header, why] of [
    [`authorization: bearer ${jwt}`, 'authorization', /there is no X-Serverless/],
    [`Bearer ${jwt}`, 'authorization', /there is no X-Serverless/],
    [
      `X-Serverless-Authorization: Bearer ${jwt}\r\nAuthorization: Basic x`,
      'x-serverless-authorization',
      /decides wherever it is present/,
    ],
    [
      `Authorization: Bearer ${jwt}\nX-Goog-IAP-JWT-Assertion: x`,
      'authorization',
      /x-goog-iap-jwt-assertion is not read here/,
    ],
    [
      [
        '*   Trying 127.0.0.1:443...',
        '> GET /orders HTTP/2',
        '> Host: orders.example.com',
        `> Authorization: Bearer ${jwt}`,
        '> ',
        '< HTTP/2 401',
        '< authorization: none',
      ].join('\r\n'),
      'authorization',
      /there is no X-Serverless/,
    ],
  ] as const) {
    const { text, json } = await explain(head)
    t.equal(text.code, 0, why.source)
    t.match(json, { header, why })
  }
  t.match(await explain('Host: a'), {
    json: { header: null, why: /X-Serverless-Authorization was sent$/ },
  })
  const twin = [`X-Serverless-Authorization: Bearer ${stripped(jwt)}`, `X-Mine: Bearer ${jwt}`]
  t.equal((await explain(twin.join('\n'), '--twin-header', 'x-mine')).text.code, 0)
})

t.test('assertions of IAP are read where its audience is given', async (t) => {
  const iap = ['--iap-audience', '/projects/1/global/backendServices/2']
  const { text, json } = await explain(
    `X-Goog-IAP-JWT-Assertion: ${await token()}`,
    ...iap,
    '--iap-jwks-uri',
    google.jwksUri,
  )
  t.match(text.stdout, /decides alone wherever it is present[^]*Refused: ID_TOKEN_/)
  t.match(json, { header: 'x-goog-iap-jwt-assertion' })
})

t.test('what is not decoded, and times that are none, break nothing', async (t) => {
  const { text } = await explain('abc')
  t.match(text.stdout, /ID_TOKEN_MALFORMED, status 401/)
  const odd = await token({
    claims: { iss: 7, iat: 'x', exp: undefined, email: ['\u202e\u001b[31m'], sub: undefined },
  })
  const { stdout } = (await explain(odd)).text
  for (const control of ['\u202e', '\u001b']) t.notMatch(stdout, control)
})

t.test('input that is nothing of the kind is refused without being quoted', async (t) => {
  for (const [stdin, said] of [
    ['', /There is nothing to explain/],
    ['hello secret world\nmore', /There is a line that is no header/],
  ] as const) {
    const ran = await runVerb(['explain', ...OPTIONS], { stdin })
    t.equal(ran.code, 2)
    t.match(ran.stderr, said)
    t.notMatch(ran.stderr, 'secret')
  }
  for (const file of ['./token.txt', 'package.json']) {
    const ran = await runVerb(['explain', file, ...OPTIONS])
    t.match(ran, { code: 2, stderr: /looks like the name of a file; accepted: .*explain - < FILE/ })
  }
  t.match(await runVerb(['explain', ...OPTIONS], { stdin: null }), {
    code: 2,
    stderr: /nothing on standard input: pipe in a token, or the headers/,
  })
  t.match(await runVerb(['explain', 'x'], {}), {
    code: 2,
    stderr: /--audience AUDIENCE is missing/,
  })
  t.match(await runVerb(['explain', 'x', '--audience', 'a b'], {}), {
    code: 2,
    stderr: /Option audience is \[ 'a b' \]/,
  })
})

t.test('warnings about options are on standard error', async (t) => {
  const options = ['--audience', 'orders.example.com', '--jwks-uri', google.jwksUri]
  const ran = await runVerb(['explain', await token(), ...options])
  t.match(ran.stderr, /the audience orders\.example\.com has no https:/)
})

t.test('colours are for terminals, and NO_COLOR is heeded', async (t) => {
  const input = ['explain', await token({ expiresIn: -4000 }), ...OPTIONS]
  const colours = '\u001b['
  t.match((await runVerb(input, { terminals: ['stdout'] })).stdout, colours)
  t.notMatch((await runVerb(input)).stdout, colours)
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    t.notMatch((await runVerb(input, { terminals: ['stdout'], env })).stdout, colours)
  }
})
