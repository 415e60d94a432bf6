import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { runVerb, type Ran } from '../helpers/command-line.ts'

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

t.test('it prints variables and a line a request, and ends at a signal', async (t) => {
  let origin = ''
  const { code, stdout } = await emulator(
    ['--service-account', 'web@shop-prod.iam.gserviceaccount.com'],
    async (url) => {
      origin = url
      const headers = { 'metadata-flavor': 'Google' }
      await fetch(`${url}${IDENTITY}?audience=https://a.example.com`, { headers })
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
      'GET /oauth2/v3/certs 200',
      'GET /no/[redacted] 404',
      '',
    ].join('\n'),
  )
  await t.rejects(fetch(origin))
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
