/** The page about refused calls says what a caller sees and what the log has. */
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import googleIdToken from '../../src/index.ts'
import { capturedLog } from '../helpers/captured-log.ts'
import { issuer } from '../helpers/issuer.ts'
import { entryOf, finds } from '../helpers/logging-query.ts'
import { audience, login, search } from '../helpers/shop.ts'
import { blocksIn, textOf } from './blocks.ts'

const page = textOf('docs/troubleshooting.md')
const [, seen = ''] = /## What the caller sees\n(.*?)\n## /s.exec(page) ?? []
const rows = [...seen.matchAll(/^\| (\d{3}) +\| (.*?) +\|/gm)].map(
  ([, status, challenge = '']) => ({
    status: Number(status),
    error: /error="(\w+)"/.exec(challenge)?.[1],
    hasChallenge: !challenge.startsWith('none'),
  }),
)

interface AppParts {
  readonly keysFail?: boolean
  readonly log?: ReturnType<typeof capturedLog>
}

async function startApp(t: Test, { keysFail, log }: AppParts = {}): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: 'warn', stream: (log ?? capturedLog()).stream } })
  t.teardown(() => app.close())
  await app.register(googleIdToken, {
    audience,
    allowedCallers: [login],
    ...(keysFail
      ? { fetch: () => Promise.reject(new Error('no network')) }
      : { jwks: issuer.jwks }),
  })
  app.get('/profiles/:id', () => ({}))
  app.get('/failing', () => Promise.reject(new Error('not a refusal')))
  return app
}

t.test('each status and challenge of the table is what a caller sees', async (t) => {
  const app = await startApp(t)
  const broken = await startApp(t, { keysFail: true })
  const bearer = async (email: string, to = audience): Promise<string> =>
    `Bearer ${await issuer.idToken({ email, audience: to })}`
  const answers = [
    await app.inject('/profiles/7'),
    await app.inject({
      url: '/profiles/7',
      headers: { authorization: await bearer(login, 'https://search-abc123-uc.a.run.app') },
    }),
    await app.inject({ url: '/profiles/7', headers: { authorization: 'Bearer [object Promise]' } }),
    await app.inject({ url: '/profiles/7', headers: { authorization: await bearer(search) } }),
    await broken.inject({ url: '/profiles/7', headers: { authorization: await bearer(login) } }),
    await app.inject({ url: '/failing', headers: { authorization: await bearer(login) } }),
  ]
  t.same(
    answers.map(({ statusCode, headers }) => {
      const challenge = headers['www-authenticate']
      return {
        status: statusCode,
        error: /error="(\w+)"/.exec(String(challenge))?.[1],
        hasChallenge: challenge !== undefined,
      }
    }),
    rows,
  )
  t.ok(answers[4]?.headers['retry-after'])
  const shown = /^The body has the code: `(.*?),…}`/m.exec(page)?.[1] ?? ''
  t.ok(answers[3]?.body.startsWith(shown) && shown.length > 0)
  t.equal((await app.inject('/nosuch')).statusCode, 401, 'an unknown path')
})

t.test('the command finds the line of a refusal, and prints fields that it has', async (t) => {
  const log = capturedLog()
  const app = await startApp(t, { log })
  const authorization = `Bearer ${await issuer.idToken({ email: search, audience })}`
  await app.inject({ url: '/profiles/7', headers: { authorization } })
  const [line = ''] = log.text().split('\n')
  const [command = ''] = blocksIn(page)
    .map(({ code }) => code)
    .filter((code) => code.startsWith('gcloud logging read '))
  const [, filter = '', , format = ''] = /'(.*?)'(.*?)'value\((.*?)\)'/.exec(command) ?? []
  t.ok(finds(filter.replaceAll(' AND ', '\n'), entryOf(line, 'SERVICE')))
  const fields = format.split(', ')
  t.equal(fields.length, 4)
  for (const field of fields) {
    const value = field
      .split('.')
      .reduce<unknown>((outer, name) => Object(outer)[name] as unknown, {
        jsonPayload: JSON.parse(line) as unknown,
      })
    t.type(value, 'string', field)
  }
})
