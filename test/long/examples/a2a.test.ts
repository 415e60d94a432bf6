/** A2A between services, through Cloud Run's front end: the card and a stream. */
import '../../helpers/package-from-source.ts'
import { SendMessageRequest, type StreamResponse } from '@a2a-js/sdk'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startCloudRunFrontend, startGoogleEmulator } from '../../../src/testing.ts'
import { setEnvironment } from '../../helpers/environment.ts'
import { audience, login, search } from '../../helpers/shop.ts'
import { deferred } from '../../helpers/waiting.ts'

const { buildA2aServer } = await import('../../../examples/agents/a2a-server.ts')
const { connectA2a } = await import('../../../examples/agents/a2a-client.ts')

const google = await startGoogleEmulator({ serviceAccount: login })
setEnvironment(t, google.env)
const { jwksUri } = google

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const invokers = [login, search].map((email) => `serviceAccount:${email}`)
const front = await startCloudRunFrontend({ target, audience, invokers, jwksUri })

/** The second piece is there when the first one has arrived. */
const firstArrived = deferred()
const { app, close } = buildA2aServer({
  url: front.url,
  audience,
  jwksUri,
  allowedCallers: [login],
  answer: async function* (question) {
    yield `${question} Yes,`
    await firstArrived.promise
    yield 'at nine.'
  },
})
server.on('request', app)
t.teardown(async () => {
  await front.close()
  server.close()
  close()
  await google.close()
})

const question = SendMessageRequest.fromJSON({
  message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'Open tomorrow?' }] },
})

/** The text of a piece of the answer. */
function textIn({ payload }: StreamResponse): string | undefined {
  if (payload?.$case !== 'artifactUpdate') return undefined
  const content = payload.value.artifact?.parts[0]?.content
  return content?.$case === 'text' ? content.value : undefined
}

t.test('the agent answers in a stream, which arrives piece by piece', async (t) => {
  const { agent, close } = await connectA2a({ url: front.url, audience })
  t.teardown(close)
  t.match(await agent.getAgentCard(), { name: 'shop-assistant' })
  const kinds: (string | undefined)[] = []
  const texts: string[] = []
  for await (const event of agent.sendMessageStream(question)) {
    kinds.push(event.payload?.$case)
    const text = textIn(event)
    if (text === undefined) continue
    texts.push(text)
    firstArrived.resolve()
  }
  t.same(texts, ['Open tomorrow? Yes,', 'at nine.', login])
  t.equal(kinds[0], 'task')
  t.equal(kinds.at(-1), 'statusUpdate')
})

t.test('who is not in the list does not see the card, and does not reach the agent', async (t) => {
  const token = `Bearer ${await google.idToken({ email: search, audience })}`
  const headers = { authorization: token, 'x-serverless-authorization': token }
  for (const path of ['/.well-known/agent-card.json', '/a2a']) {
    const method = path === '/a2a' ? 'POST' : 'GET'
    const { status } = await fetch(`${front.url}${path}`, { method, headers })
    t.equal(status, 403, path)
    const { status: ofNobody } = await fetch(`${target}${path}`, { method })
    t.equal(ofNobody, 401, path)
  }
})
