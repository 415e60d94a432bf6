import { inspect } from 'node:util'
import Fastify from 'fastify'
import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import { capturedLog, holdsPartOf, warnings } from '../helpers/captured-log.ts'
import { errorOf } from '../helpers/client-helpers.ts'
import { startService } from '../helpers/recording-service.ts'
import { issuer } from '../helpers/issuer.ts'

const service = await startService(t)
const { url } = service
const token = await issuer.idToken({ audience: url })
const [header = '', payload = '', signature = ''] = token.split('.')

function sourceOf(answer: unknown) {
  return { fetchIdToken: () => Promise.resolve(answer as string) }
}

function encoded(claims: string): string {
  return `${header}.${Buffer.from(claims).toString('base64url')}.${signature}`
}

const NO_TOKENS: Record<string, unknown> = {
  'a line break inside': `${header}.${payload}\n.${signature}`,
  'a line break and a header': `${header}\r\nx-injected: 1.${payload}.${signature}`,
  'a NUL inside': `${header}.${payload}.${signature.slice(0, 9)}\0${signature.slice(9)}`,
  'a NUL at the end': `${token}\0`,
  'two tokens': `${token} ${token}`,
  'a scheme before it': `Bearer ${token}`,
  'quotes around it': `"${token}"`,
  'two segments': `${header}.${payload}`,
  'four segments': `${token}.${signature}`,
  'five segments': `${token}.${signature}.${signature}`,
  'an empty signature': `${header}.${payload}.`,
  padding: `${header}.${payload}.${signature}==`,
  'base64, not base64url': `${header}.${payload}.${signature.slice(0, -3)}+/=`,
  'beyond ASCII': `${header}.${payload}.${signature.slice(0, -1)}é`,
  'a payload that is no JSON': encoded('not JSON'),
  'a payload without exp': encoded(JSON.stringify({ aud: url })),
  'an exp that is no number': encoded(JSON.stringify({ aud: url, exp: 'tomorrow' })),
  'an exp without end': encoded(`{"aud":"${url}","exp":1e999}`),
  'nothing at all': '',
  'white space': ' \n ',
  'no string': { token },
  undefined: undefined,
}

t.test('what is not exactly a token is not sent, and no part of it shown', async (t) => {
  for (const [what, answer] of Object.entries(NO_TOKENS)) {
    const { logger, lines } = warnings()
    const log = capturedLog()
    const client = createServiceClient({ url, auth: sourceOf(answer), logger })
    const app = Fastify({ logger: { stream: log.stream } })
    app.get('/', async () => (await client.fetch('/')).text())
    const { statusCode, body } = await app.inject('/')
    t.equal(statusCode, 500, what)
    for (const call of [client.fetch('/'), client.idToken(), client.headers()]) {
      const error = await errorOf(call)
      t.match(error, {
        name: 'ServiceClientError',
        code: 'SERVICE_CLIENT_TOKEN_UNAVAILABLE',
        detail: { reason: 'the answer is not an ID token' },
      })
      const shown = [inspect(error, { depth: 10, showHidden: true }), inspect(lines), error.stack]
      for (const text of [...shown, body, log.text()]) {
        for (const part of [header, payload, signature])
          t.notOk(holdsPartOf(part, String(text)), what)
      }
    }
  }
  t.equal(service.requests.length, 0)
})

t.test('the token of an agent identity is named, and not sent', async (t) => {
  const agent = encoded(
    JSON.stringify({
      iss: 'https://sts.googleapis.com/v1/organizations/123',
      sub: 'spiffe://agents.global.org-123.system.id.goog/resources/aiplatform/agent',
      aud: url,
      exp: Math.floor(Date.now() / 1000) + 3600,
    }),
  )
  const sent = service.requests.length
  const client = createServiceClient({ url, auth: sourceOf(agent) })
  for (const call of [client.fetch('/'), client.idToken(), client.headers()]) {
    t.match(await errorOf(call), {
      code: 'SERVICE_CLIENT_CREDENTIALS_UNSUPPORTED',
      message: /name a service account .* in the option serviceAccount/,
      detail: { reason: /the token of an agent identity/ },
    })
  }
  t.equal(service.requests.length, sent)
})

t.test('white space around a token is not part of it', async (t) => {
  for (const answer of [`${token}\n`, `\r\n\t ${token} \r\n`]) {
    const client = createServiceClient({ url, auth: sourceOf(answer) })
    t.equal(await client.idToken(), token)
    t.equal((await client.fetch('/')).status, 200)
    t.equal(service.tokens().at(-1), token)
  }
})

t.test('an answer of a megabyte is refused', async (t) => {
  for (const answer of [
    'a'.repeat(2 ** 20),
    '.'.repeat(2 ** 20),
    `${token}${'a'.repeat(2 ** 20)}`,
  ]) {
    const { code } = await errorOf(createServiceClient({ url, auth: sourceOf(answer) }).idToken())
    t.equal(code, 'SERVICE_CLIENT_TOKEN_UNAVAILABLE')
  }
})
