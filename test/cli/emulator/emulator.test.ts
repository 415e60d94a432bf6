import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { runVerb, type Ran } from '../../helpers/command-line.ts'

/** Runs it until it has printed a URL, and `use` has used it. */
async function emulator(
  args: readonly string[],
  use: (url: string, output: () => string) => Promise<void>,
): Promise<Ran> {
  let stop: () => void = () => undefined
  let shown = ''
  let used: Promise<void> | undefined
  const interrupted = new Promise<void>((resolve) => {
    stop = resolve
  })
  const running = runVerb(['emulator', ...args], {
    interrupted,
    onOutput: (text) => {
      shown += text
      const host = /http:\/\/[\d.]+:\d+|GCE_METADATA_HOST=([\d.:]+)/.exec(text)
      if (host === null || used !== undefined) return
      const url = host[1] === undefined ? host[0] : `http://${host[1]}`
      used = use(url, () => shown).finally(stop)
    },
  })
  const ran = await running
  await used
  return ran
}

async function portOfOther(t: Test): Promise<number> {
  const other = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  return (other.address() as AddressInfo).port
}

const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity'

const GENERATE =
  '/v1/projects/-/serviceAccounts/other@shop-prod.iam.gserviceaccount.com:generateIdToken'

t.test('it prints variables and a line a request, and ends at a signal', async (t) => {
  let origin = ''
  const { code, stdout } = await emulator(
    ['--service-account', 'web@shop-prod.iam.gserviceaccount.com'],
    async (url) => {
      origin = url
      const headers = { 'metadata-flavor': 'Google' }
      await fetch(`${url}${IDENTITY}?audience=https://a.example.com`, { headers })
      const { access_token: access } = (await (
        await fetch(`${url}${IDENTITY.replace('identity', 'token')}`, { headers })
      ).json()) as { access_token: string }
      await fetch(`${url}${GENERATE}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access}` },
        body: JSON.stringify({ audience: 'https://b.example.com' }),
      })
      await fetch(`${url}/oauth2/v3/certs`)
      await fetch(`${url}/no/eyJhbGciOi.eyJzdWIi.c2ln?access_token=secret`)
      // A server of somebody else in this process.
      await fetch(`http://127.0.0.1:${await portOfOther(t)}/other`)
    },
  )
  t.equal(code, 0)
  t.match(stdout, `Google is at ${origin}, as web@shop-prod.iam.gserviceaccount.com`)
  t.match(stdout, `jwksUri: ${origin}/oauth2/v3/certs\n`)
  t.match(stdout, 'export GOOGLE_CLOUD_PROJECT=shop-prod\n')
  t.match(stdout, "export GOOGLE_APPLICATION_CREDENTIALS=''\n")
  const requests = stdout.slice(stdout.lastIndexOf('\n\n') + 2)
  t.equal(
    requests,
    [
      `GET ${IDENTITY} 200 https://a.example.com`,
      `GET ${IDENTITY.replace('identity', 'token')} 200`,
      `POST ${GENERATE} 200 https://b.example.com`,
      'GET /oauth2/v3/certs 200',
      'GET /no/[credential] 404',
      '',
    ].join('\n'),
  )
  await t.rejects(fetch(origin))
})

t.test('it prints how to get a token of its account, and of any other', async (t) => {
  const account = 'web@shop-prod.iam.gserviceaccount.com'
  await emulator(['--service-account', account], async (url, output) => {
    const [, identity = ''] = /^ {2}curl -H 'Metadata-Flavor: Google' '(.*)'$/m.exec(output()) ?? []
    const asked = identity.replace('AUDIENCE', 'https://a.example.com')
    const answer = await fetch(asked, { headers: { 'metadata-flavor': 'Google' } })
    t.match(decodeJwt(await answer.text()), { aud: 'https://a.example.com', email: account })
    const [, verb = ''] = /^ {2}npx fastify-google-id-token (token .*)$/m.exec(output()) ?? []
    t.match(verb, url)
    const other = 'other@shop-prod.iam.gserviceaccount.com'
    const line = verb.replace('EMAIL', other).replace('AUDIENCE', 'https://a.example.com')
    const { stdout } = await runVerb(line.split(' '))
    t.match(decodeJwt(stdout), { aud: 'https://a.example.com', email: other })
  })
})

t.test('--write-env: the variables, once it listens and until it ends', async (t) => {
  const file = join(t.testdir(), 'google.env')
  const { stdout } = await emulator(['--write-env', file], async (url, output) => {
    const text = readFileSync(file, 'utf8')
    t.ok(output().endsWith(`\n\n${text}\n`))
    t.match(text, `export GCE_METADATA_HOST=${new URL(url).host}\n`)
    t.same(readdirSync(dirname(file)), ['google.env'])
  })
  t.match(stdout, /Google is at/)
  t.same(readdirSync(dirname(file)), [])
  const nowhere = join(file, 'no', 'such')
  const ran = await runVerb(['emulator', '--write-env', nowhere])
  t.match(ran, { code: 2, stderr: /such" cannot be written: ENOENT/ })
})

t.test('--env prints the variables and nothing else', async (t) => {
  const { stdout } = await emulator(['--env', '--project', 'mine'], async (url) => {
    await fetch(`${url}/oauth2/v3/certs`)
  })
  for (const line of stdout.trimEnd().split('\n')) t.match(line, /^export [A-Z_]+=\S*$/)
  t.match(stdout, 'GOOGLE_CLOUD_PROJECT=mine')
})

t.test('--json prints a line a request too', async (t) => {
  const { stdout } = await emulator(['--json'], async (url) => {
    await fetch(`${url}/oauth2/v3/certs`)
  })
  const [about, request] = stdout
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one) as object)
  t.match(about, { url: /^http/, jwksUri: /certs$/, env: { GCE_METADATA_HOST: String } })
  t.match(request, { method: 'GET', path: '/oauth2/v3/certs', status: 200 })
})

t.test('it listens on loopback unless more is allowed', async (t) => {
  t.match(await runVerb(['emulator', '--host', '0.0.0.0']), { code: 2, stderr: /allowRemote/ })
  const { code } = await emulator(['--host', '0.0.0.0', '--allow-remote'], async () => undefined)
  t.equal(code, 0)
})

t.test('a port that is taken, and one that is none', async (t) => {
  const port = await portOfOther(t)
  t.match(await runVerb(['emulator', '--port', String(port)]), {
    code: 1,
    stderr: /Nothing can listen there: .*EADDRINUSE/,
  })
  t.match(await runVerb(['emulator', '--port', 'x']), { code: 2, stderr: /--port is "x"/ })
})
