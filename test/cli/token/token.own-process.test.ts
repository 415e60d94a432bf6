import http from 'node:http'
import https from 'node:https'
import { decodeJwt } from 'jose'
import t from 'tap'
import { jsonOf, runVerb } from '../../helpers/command-line.ts'
import { startEmulator } from '../../helpers/emulator.ts'
import { setEnvironment } from '../../helpers/environment.ts'

const AUDIENCE = 'https://orders.example.com'
const WEB = 'web@shop-prod.iam.gserviceaccount.com'
const OTHER = 'other@shop-prod.iam.gserviceaccount.com'

const google = await startEmulator(t, { serviceAccount: WEB })
const FROM_EMULATOR = ['token', '--audience', AUDIENCE, '--emulator', google.url]

t.test('one token on a line, of the account of the emulator, or of any other', async (t) => {
  for (const [args, email] of [
    [[], WEB],
    [['--email', OTHER], OTHER],
  ] as const) {
    const { code, stdout, stderr } = await runVerb([...FROM_EMULATOR, ...args])
    t.match({ code, stderr }, { code: 0, stderr: '' })
    t.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    t.match(decodeJwt(stdout), { aud: AUDIENCE, email })
  }
  const json = jsonOf(await runVerb([...FROM_EMULATOR, '--json']))
  t.match(json, { token: String, audience: AUDIENCE, email: WEB, subject: /^\d{21}$/ })
})

// First, because credentials that were found once are kept.
t.test(
  'no token: exit 1, with the code of the client and a remedy of the command line',
  async (t) => {
    setEnvironment(t, { ...google.env, GOOGLE_APPLICATION_CREDENTIALS: '/no/such/file' })
    const { code, stdout, stderr } = await runVerb(['token', '--audience', `${AUDIENCE}/b`])
    t.match({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr, /^SERVICE_CLIENT_CREDENTIALS_NOT_FOUND: .*set GOOGLE_APPLICATION_CREDENTIALS/)
    t.match(stderr, /gcloud auth application-default login.*--service-account/)
    t.notMatch(stderr, 'option auth')
    t.match(stderr, /Reason: /)
  },
)

t.test('the credentials at hand', async (t) => {
  setEnvironment(t, google.env)
  const { code, stdout } = await runVerb(['token', '--audience', AUDIENCE])
  t.equal(code, 0)
  t.match(decodeJwt(stdout), { aud: AUDIENCE, email: WEB })
})

t.test('--service-account: the credentials at hand impersonate it', async (t) => {
  setEnvironment(t, google.env)
  // There is no option for the address of IAM Credentials: what is sent to it comes to the emulator.
  const sent = t.capture(https, 'request', (url: string, options: http.RequestOptions) =>
    http.request(new URL(new URL(url).pathname, google.url), options),
  )
  const ofOther = ['token', '--audience', AUDIENCE, '--service-account', OTHER]
  const { code, stdout, stderr } = await runVerb(ofOther)
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(decodeJwt(stdout), { aud: AUDIENCE, email: OTHER, email_verified: true })
  t.same(
    sent().map(({ args: [url] }) => url),
    [
      `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${OTHER}:generateIdToken`,
    ],
  )
  t.match(jsonOf(await runVerb([...ofOther, '--json'])), { audience: AUDIENCE, email: OTHER })
})

t.test('an emulator that is not there, or refuses', async (t) => {
  const away = await startEmulator(t)
  await away.close()
  const ran = await runVerb(['token', '--audience', 'a', '--emulator', away.url])
  t.match(ran, { code: 1, stderr: /cannot be reached: Error: connect ECONNREFUSED/ })
  t.teardown(google.denyTokenCreation(OTHER))
  const denied = await runVerb([...FROM_EMULATOR, '--email', OTHER])
  t.match(denied, { code: 1, stderr: /gives no token: status 403/ })
})

t.test('wrong usage', async (t) => {
  for (const [args, said] of [
    [['--audience', 'a', '--email', WEB], /--email is for --emulator/],
    [['--audience', 'a', '--emulator', 'x'], /--emulator is "x"/],
    [
      ['--audience', 'a', '--emulator', google.url, '--service-account', WEB],
      /--service-account is not for --emulator/,
    ],
    [['--audience', 'a b'], /Option audience is 'a b'/],
  ] as const) {
    t.match(await runVerb(['token', ...args]), { code: 2, stderr: said })
  }
})
