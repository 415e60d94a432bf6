/** The programs for other frameworks answer like those for Fastify and Express. */
import t from 'tap'
import { createTestIssuer } from '../../../src/testing.ts'
import { audience, login, search, signup } from '../../helpers/shop.ts'
import { blocksIn, textOf, wholeProgram, withoutShownFiles } from '../../pages/blocks.ts'
import { startServices } from './programs.ts'

const issuer = await createTestIssuer()
const page = withoutShownFiles(textOf('docs/other-frameworks.md'))
const blocks = blocksIn(page)
const FILES = ['nest-fastify.ts', 'nest-express.ts', 'function.ts']

const programs = new Map(FILES.map((file) => [file, wholeProgram(file, blocks)]))
// What the command functions-framework --target=profiles does.
programs.set(
  'function.ts',
  `${programs.get('function.ts') ?? ''}
   import { getTestServer } from '@google-cloud/functions-framework/testing'
   getTestServer('profiles').listen(0)`,
)
programs.set('mcp-server.ts', wholeProgram('mcp-server.ts', blocksIn(textOf('docs/agents.md'))))
const urls = await startServices(t, programs, issuer)

interface Answer {
  status: number
  challenge: string | null
  body: string
}

async function call(url: string, { email = '', method = 'GET' } = {}): Promise<Answer> {
  const headers = new Headers()
  if (email !== '') {
    headers.set('authorization', `Bearer ${await issuer.idToken({ email, audience })}`)
  }
  const response = await fetch(url, { method, headers })
  const challenge = response.headers.get('www-authenticate')
  return { status: response.status, challenge, body: await response.text() }
}

t.test('every program of the page is run', (t) => {
  t.same(
    blocks.map(({ file }) => file),
    FILES,
  )
  t.equal(page.match(/^```\w/gm)?.length, blocks.length)
  t.end()
})

for (const [index, file] of FILES.entries()) {
  t.test(`${file}: the list and the challenge`, async (t) => {
    const url = `${urls[index] ?? ''}/profiles/7`
    t.match(await call(url, { email: login }), {
      status: 200,
      body: `"servedFor":"${login}"`,
    })
    t.match(await call(url), { status: 401, challenge: 'Bearer realm="fastify-google-id-token"' })
    t.match(await call(url, { email: search }), {
      status: 403,
      challenge: /error="insufficient_scope"/,
      body: /"ID_TOKEN_CALLER_NOT_ALLOWED"/,
    })
  })
}

t.test('NestJS on Fastify: a list of a route, and an open route', async (t) => {
  const [url = ''] = urls
  const created = await call(`${url}/profiles`, { email: signup, method: 'POST' })
  t.match(created, { status: 201, body: `"createdBy":"${signup}"` })
  t.equal((await call(`${url}/profiles`, { email: login, method: 'POST' })).status, 403)
  t.match(await call(`${url}/health`), { status: 200, body: 'ok' })
})

t.test('the MCP server of the page about agents', async (t) => {
  const url = `${urls.at(-1) ?? ''}/mcp`
  const post = async (message: object, email: string, session = ''): Promise<Response> => {
    const audience = 'https://shop-search-abc123-uc.a.run.app'
    const headers = {
      authorization: `Bearer ${await issuer.idToken({ email, audience })}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': session,
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
    return fetch(url, { method: 'POST', headers, body })
  }
  const clientInfo = { name: 'test', version: '1' }
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  const opened = await post({ method: 'initialize', params }, login)
  const session = opened.headers.get('mcp-session-id') ?? ''
  t.match(await opened.text(), /"shop-search"/)
  const list = { method: 'tools/list' }
  t.match(await (await post(list, login, session)).text(), /"whoami"/)
  t.equal((await post(list, login, 'another')).status, 404)
  t.equal((await post(list, search, session)).status, 403)
})
