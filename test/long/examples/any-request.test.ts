/** `verifier.authenticate` in Hono and in a plain server of Node, behind Cloud Run's front end. */
import '../../helpers/package-from-source.ts'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { serve } from '@hono/node-server'
import t from 'tap'
import { startCloudRunFrontend, startGoogleEmulator } from '../../../src/testing.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { audience, login, search } from '../../helpers/shop.ts'

const { buildHono } = await import('../../../examples/hono.ts')
const { buildNodeHttp } = await import('../../../examples/node-http.ts')

const google = await startGoogleEmulator()
const { jwksUri } = google
const hono = buildHono({ audience, jwksUri })
const servers: Record<string, Server> = {
  Hono: serve({ fetch: hono.app.fetch, hostname: '127.0.0.1', port: 0 }),
  'node:http': buildNodeHttp({ audience, jwksUri }).listen(0, '127.0.0.1'),
}
t.teardown(async () => {
  hono.verifier.close()
  for (const server of Object.values(servers)) server.close()
  await google.close()
})

for (const [name, server] of Object.entries(servers)) {
  t.test(name, async (t) => {
    if (!server.listening) await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const target = `http://127.0.0.1:${port}`
    const invokers = [`serviceAccount:${login}`]
    const front = await startCloudRunFrontend({ target, audience, invokers, jwksUri })
    t.teardown(() => front.close())
    const token = `Bearer ${await google.idToken({ email: login, audience })}`

    const allowed = await fetch(`${front.url}/profiles/7`, {
      headers: { authorization: token, 'x-serverless-authorization': token },
    })
    t.equal(allowed.status, 200)
    t.match(await allowed.json(), { servedFor: login })

    const stripped = await fetch(`${front.url}/profiles/7`, { headers: { authorization: token } })
    t.equal(stripped.status, 401)
    t.match(await stripped.json(), { code: 'ID_TOKEN_SIGNATURE_REMOVED' })

    const none = await fetch(`${target}/profiles/7`)
    t.equal(none.status, 401)
    t.equal(none.headers.get('www-authenticate'), 'Bearer realm="fastify-google-id-token"')

    const another = `Bearer ${await google.idToken({ email: search, audience })}`
    const refused = await fetch(`${target}/profiles/7`, { headers: { authorization: another } })
    t.equal(refused.status, 403)
    t.match(refused.headers.get('www-authenticate'), /error="insufficient_scope"/)
    t.match(await refused.json(), { code: 'ID_TOKEN_CALLER_NOT_ALLOWED' })

    const twice = await rawRequest(port, {
      path: '/profiles/7',
      headers: [
        ['Authorization', token],
        ['authorization', another],
      ],
    })
    t.match(
      twice,
      { status: 400, body: /"ID_TOKEN_REQUEST_MALFORMED"/ },
      'sent twice: neither wins',
    )
    t.equal(await (await fetch(`${target}/health`)).text(), 'ok\n')
  })
}

t.test('an optional route of Hono', async (t) => {
  const { port } = servers.Hono?.address() as AddressInfo
  const hello = `http://127.0.0.1:${port}/hello`
  t.equal(await (await fetch(hello)).text(), 'Hello, anonymous user.\n')
  const authorization = `Bearer ${await google.idToken({ email: login, audience })}`
  t.equal(await (await fetch(hello, { headers: { authorization } })).text(), `Hello, ${login}.\n`)
  const bad = await fetch(hello, { headers: { authorization: 'Bearer nonsense' } })
  t.equal(bad.status, 401)
})
