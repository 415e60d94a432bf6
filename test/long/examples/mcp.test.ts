/** MCP over HTTP between services, through Cloud Run's front end: sessions and streams. */
import '../../helpers/package-from-source.ts'
import t from 'tap'
import { startCloudRunFrontend, startGoogleEmulator } from '../../../src/testing.ts'
import { setEnvironment } from '../../helpers/environment.ts'
import { audience, login, search, signup } from '../../helpers/shop.ts'
import { deferred } from '../../helpers/waiting.ts'

const { buildMcpServer } = await import('../../../examples/agents/mcp-server.ts')
const { connectMcp } = await import('../../../examples/agents/mcp-client.ts')

const google = await startGoogleEmulator({ serviceAccount: login })
setEnvironment(t, google.env)
const { jwksUri } = google

/** The second item is found when the first one has arrived. */
let firstArrived = deferred()
const app = await buildMcpServer({
  audience,
  jwksUri,
  allowedCallers: [login, signup],
  search: async function* (query) {
    yield `${query} 1`
    await firstArrived.promise
    yield `${query} 2`
  },
})
const target = await app.listen({ host: '127.0.0.1', port: 0 })
const invokers = [login, signup, search].map((email) => `serviceAccount:${email}`)
const front = await startCloudRunFrontend({ target, audience, invokers, jwksUri })
t.teardown(async () => {
  await front.close()
  await app.close()
  await google.close()
})
const service = { url: front.url, audience }

t.test('a tool answers in a stream, which arrives piece by piece', async (t) => {
  const { mcp, close } = await connectMcp(service)
  t.teardown(close)
  t.match(mcp.getServerVersion(), { name: 'shop-search' })
  firstArrived = deferred()
  const progress: unknown[] = []
  const result = await mcp.callTool({ name: 'search', arguments: { query: 'lamp' } }, undefined, {
    onprogress: ({ message }) => {
      progress.push(message)
      firstArrived.resolve()
    },
  })
  t.same(progress, ['lamp 1', 'lamp 2'])
  t.match(result.content, [{ text: `lamp 1, lamp 2; found for ${login}` }])
})

/** A request of the protocol by another account, with what it knows of a session. */
async function post(email: string, session?: string): Promise<Response> {
  const token = `Bearer ${await google.idToken({ email, audience })}`
  const headers = new Headers({
    authorization: token,
    'x-serverless-authorization': token,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  })
  if (session !== undefined) headers.set('mcp-session-id', session)
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  return fetch(`${front.url}/mcp`, { method: 'POST', headers, body })
}

t.test('a session is its caller’s alone', async (t) => {
  const { mcp, close } = await connectMcp(service)
  const session = String(mcp.transport?.sessionId)
  const own = await post(login, session)
  t.equal(own.status, 200)
  t.match(own.headers.get('content-type'), 'text/event-stream')
  t.match(await own.text(), /"name":"search"/)
  t.equal((await post(signup, session)).status, 404, 'a listed caller with another’s session')
  t.equal((await post(login)).status, 404, 'no session')
  await close()
  t.equal((await post(login, session)).status, 404, 'a session that was ended')
})

t.test('who is not in the list opens no session', async (t) => {
  const refused = await post(search)
  t.equal(refused.status, 403)
  t.match(await refused.json(), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })
})
