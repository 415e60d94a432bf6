/** The curl lines that send one token in both headers are answered 200 behind Cloud Run's IAM check. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import googleIdToken from '../../../src/index.ts'
import { startCloudRunFrontend } from '../../../src/testing.ts'
import { ACCOUNT, ask, METADATA, startEmulator } from '../../helpers/emulator.ts'
import { audience, login, search } from '../../helpers/shop.ts'
import { textOf } from '../../pages/blocks.ts'

const docs = readdirSync(new URL('../../../docs', import.meta.url))
const pages = ['README.md', ...docs.map((file) => `docs/${file}`)].filter((page) =>
  page.endsWith('.md'),
)

/** The curl lines of a page, in blocks and in sentences, as one line each. */
function curlLines(page: string): string[] {
  const text = textOf(page).replaceAll(/ \\\n\s*/g, ' ')
  const inBlocks = [...text.matchAll(/^\s*(?<line>curl .*)$/gm)]
  const inSentences = [...text.matchAll(/`(?<line>curl [^`]*)`/g)]
  return [...inBlocks, ...inSentences].map(({ groups = {} }) =>
    (groups.line ?? '').replaceAll('\n', ' '),
  )
}

const lines = pages.flatMap((page) =>
  curlLines(page)
    .filter((line) => line.includes('X-Serverless-Authorization: '))
    .map((line) => ({ page, line })),
)

/** Behind the IAM check, which lets both in: a service that lets `login` in, and the token of an account. */
async function deploy(t: Test, account: string): Promise<{ url: string; token: string }> {
  const google = await startEmulator(t, { serviceAccount: account })
  const { jwksUri } = google
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(googleIdToken, { audience, allowedCallers: [login], jwksUri })
  for (const method of ['GET', 'PUT']) {
    app.route({ method, url: '/profiles/:id', handler: () => ({ name: 'Grace' }) })
  }
  const target = await app.listen({ host: '127.0.0.1', port: 0 })
  const invokers = [login, search].map((email) => `serviceAccount:${email}`)
  const front = await startCloudRunFrontend({ target, audience, invokers, jwksUri })
  t.teardown(() => front.close())
  const path = `${ACCOUNT}/identity?format=full&audience=${audience}`
  const { text: token } = await ask(google, path, { headers: METADATA })
  return { url: front.url, token }
}

/** Runs the line in a shell, with the address and the token in the names that the pages use. */
async function statusOf(
  line: string,
  { url, token }: { url: string; token: string },
): Promise<string | undefined> {
  const command = line
    .replace(/^curl /, String.raw`curl --silent --show-error --write-out '\n%{http_code}' `)
    .replace('--fail ', '')
    .replace(audience, url)
    .replace(/ URL$/, ` ${url}/profiles/7`)
  const env = { PATH: process.env.PATH, url, token, TOKEN: token, ID_TOKEN: token }
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { env })
  return stdout.split('\n').at(-1)
}

t.test('curl is installed: the other tests of this file need it', async (t) => {
  await t.resolves(promisify(execFile)('curl', ['--version']), 'install curl')
})

t.test('the pages that show such a line', (t) => {
  t.same(
    lines.map(({ page }) => page),
    ['docs/cloud-run.md', 'docs/deploying.md', 'docs/outside-google-cloud.md'],
  )
  t.end()
})

for (const { page, line } of lines) {
  t.test(`the line of ${page}`, async (t) => {
    t.equal(await statusOf(line, await deploy(t, login)), '200')
    t.equal(await statusOf(line, await deploy(t, search)), '403', 'not in the list of the service')
  })
}
