/** The proxy on a developer's machine: with the emulator, before a service that refuses. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import googleIdToken from '../../../src/index.ts'
import { runVerb, type Ran } from '../../helpers/command-line.ts'
import { startEmulator } from '../../helpers/emulator.ts'

const AUDIENCE = 'https://orders.example.com'
const WEB = 'web@shop-prod.iam.gserviceaccount.com'
const OTHER = 'other@shop-prod.iam.gserviceaccount.com'
const google = await startEmulator(t, { serviceAccount: WEB })

/** Runs the proxy while `use` uses it. */
async function proxy(
  target: string,
  args: readonly string[],
  use: (url: string) => Promise<void>,
): Promise<Ran> {
  let used: Promise<void> | undefined
  let end: () => void = () => undefined
  const interrupted = new Promise<void>((resolve) => {
    end = resolve
  })
  const emulated = [target, '--port', '0', '--emulator', google.url, ...args]
  const ran = await runVerb(['proxy', ...emulated], {
    interrupted,
    onOutput: (text) => {
      used = use(/http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? '').finally(end)
    },
  })
  await used
  return ran
}

async function orders(t: Test): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(googleIdToken, {
    audience: AUDIENCE,
    jwksUri: google.jwksUri,
    allowedCallers: [WEB],
    logger: { warn: () => undefined },
  })
  app.get('/who', (request) => request.caller.email)
  return app.listen({ host: '127.0.0.1', port: 0 })
}

t.test('--emulator: tokens of its account, or of any other, without credentials', async (t) => {
  const target = await orders(t)
  const ran = await proxy(target, ['--audience', AUDIENCE], async (url) => {
    t.equal(await (await fetch(`${url}/who`)).text(), WEB)
  })
  t.match(ran, { code: 0, stderr: '' })
  t.match(ran.stdout, ` calls ${target} as ${WEB}, with tokens for ${AUDIENCE}. Ctrl-C ends it.\n`)
  const asOther = await proxy(target, ['--audience', AUDIENCE, '--email', OTHER], async (url) => {
    t.equal((await fetch(`${url}/who`)).status, 403)
  })
  t.match(asOther.stdout, ` as ${OTHER},`)
  t.match(asOther.stderr, /^The service answers 403 to GET \/who: .*error="insufficient_scope"/)
})

t.test('a refused call is named, with the audience that was asked for', async (t) => {
  const target = await orders(t)
  const { stdout, stderr } = await proxy(target, [], async (url) => {
    t.equal((await fetch(`${url}/who?access_token=secret`)).status, 401)
  })
  t.match(stdout, `with tokens for ${target}.`)
  t.match(stderr, /^The service answers 401 to GET \/who: Bearer realm=.*another audience/)
  t.notMatch(stderr, 'secret')
})

t.test(
  'a service that says nothing, or repeats the token, leaves no token in a line',
  async (t) => {
    const server = createServer((request, response) => {
      const challenge = request.url === '/echo' && {
        'www-authenticate': request.headers.authorization,
      }
      response.writeHead(401, { ...challenge }).end()
    }).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { stderr } = await proxy(target, [], async (url) => {
      await fetch(`${url}/nothing/eyJhbGciOi.eyJzdWIi.c2ln`)
      await fetch(`${url}/echo`)
    })
    t.equal(
      stderr,
      [
        'The service answers 401 to GET /nothing/[credential]',
        'The service answers 401 to GET /echo: Bearer [credential]',
        '',
      ].join('\n'),
    )
  },
)

t.test('tokens have one source, and an emulator is asked at a URL', async (t) => {
  for (const [args, said] of [
    [['--emulator', 'x'], /--emulator is "x"/],
    [['--email', WEB], /--email is for --emulator/],
    [['--emulator', google.url, '--service-account', WEB], /--service-account is not for/],
  ] as const) {
    t.match(await runVerb(['proxy', 'http://127.0.0.1:1', ...args]), { code: 2, stderr: said })
  }
  const away = await startEmulator(t)
  await away.close()
  const ran = await runVerb(['proxy', 'http://127.0.0.1:1', '--emulator', away.url])
  t.match(ran, { code: 1, stderr: /Reason: The emulator at .* cannot be reached/ })
})
