/**
 * A caller with `createServiceClient`, Cloud Run's front end, and a service with the plugin, with the
 * emulator for Google: every kind of credentials, every setting of `tokenHeaders` and of `twinHeader`,
 * the IAM check on and off.
 */
import Fastify, { type FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import { kindsOfCredentials, type Kind } from '../../examples/credentials.ts'
import { RULES, TWIN, type Rule, type TwinHeader } from '../../examples/expected-outcomes.ts'
import { createServiceClient, type TokenHeaders } from '../../src/client.ts'
import googleIdToken, { type VerifierOptions } from '../../src/index.ts'
import {
  startCloudRunFrontend,
  startGoogleEmulator,
  type GoogleEmulator,
} from '../../src/testing.ts'
import { setEnvironment } from './environment.ts'
import { audience, login, signup, search } from './shop.ts'

const events = 'events@shop-prod.iam.gserviceaccount.com'
const person = 'dana@example.com'

/** Who may invoke the service; signup is then in no list of the plugin. */
const invokers = [login, events, signup]
  .map((email) => `serviceAccount:${email}`)
  .concat(`user:${person}`)

const IAM_CHECK = ['on', 'off'] as const
const NOT_ALLOWED = { status: 403, code: 'ID_TOKEN_CALLER_NOT_ALLOWED', server: null }
const FRONT_END_403 = { status: 403, code: null, server: 'Google Frontend' }

/** A service with `trustRemovedSignature: true`, or one without. */
type Service = 'outcome' | 'trusting'

/** The URLs of the front ends of one service. */
type FrontEnds = Record<Rule['iamCheck'], string>

/** A service that tells what it knows of its caller, behind both kinds of front end. */
async function startService(
  t: Test,
  { jwksUri }: GoogleEmulator,
  options: Required<Pick<VerifierOptions, 'trustRemovedSignature' | 'twinHeader'>>,
): Promise<FrontEnds> {
  const app = Fastify()
  await app.register(googleIdToken, {
    audience,
    jwksUri,
    ...options,
    allowedCallers: [login, { email: person }],
  })
  const facts = ({ caller, headers, body }: FastifyRequest): object => ({
    email: caller.email,
    header: caller.header,
    signatureVerified: caller.signatureVerified,
    authorization: headers.authorization?.startsWith('Basic ') ? headers.authorization : 'a token',
    agent: headers['user-agent'],
    body,
  })
  app.get('/profiles/:id', facts)
  app.post('/events', { config: { idToken: { allowedCallers: [events] } } }, facts)
  const target = await app.listen({ host: '127.0.0.1', port: 0 })
  const front = async (allowUnauthenticated: boolean): Promise<string> => {
    const options = allowUnauthenticated ? { allowUnauthenticated } : { invokers }
    const { url, close } = await startCloudRunFrontend({ target, audience, jwksUri, ...options })
    t.teardown(close)
    return url
  }
  t.teardown(() => app.close())
  return { on: await front(false), off: await front(true) }
}

function nameOf(sent: TokenHeaders): string {
  return typeof sent === 'string' ? sent : `twin ${sent.twin}`
}

interface Call {
  kind: Pick<Kind, 'options'>
  tokenHeaders?: TokenHeaders
  headers?: Record<string, string>
}

async function call(url: string, { kind, tokenHeaders, headers = {} }: Call): Promise<Answer> {
  const client = createServiceClient({ url, audience, tokenHeaders, ...kind.options })
  const answer = await answerOf(await client.fetch('/profiles/42', { headers }))
  client.close()
  return answer
}

/** Status, and what the body says, of the service, of the plugin or of the front end. */
type Answer = Record<string, unknown> & { status: number }

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const server = headers.get('server')
  if (headers.get('content-type')?.startsWith('text/html')) return { status, server, code: null }
  return { server, ...(JSON.parse(text) as object), status }
}

export async function testWholePicture(t: Test): Promise<void> {
  const google = await startGoogleEmulator({ serviceAccount: login })
  t.teardown(() => google.close())
  // As on Cloud Run: a metadata server, and what trustRemovedSignature asks for.
  setEnvironment(t, { ...google.env, K_SERVICE: 'user-profiles' })
  const kinds = kindsOfCredentials(google, { login, person })
  const start = async (twinHeader: TwinHeader): Promise<Record<Service, FrontEnds>> => ({
    outcome: await startService(t, google, { twinHeader, trustRemovedSignature: false }),
    trusting: await startService(t, google, { twinHeader, trustRemovedSignature: true }),
  })
  const services = await start('authorization')
  const { outcome, trusting } = services
  const withTwinHeader = {
    authorization: services,
    'x-profiles-token': await start('x-profiles-token'),
  }

  t.equal(
    RULES.length,
    4 * 2 * 2,
    'a rule for each setting of tokenHeaders and of twinHeader, with the IAM check on and off',
  )
  for (const service of ['outcome', 'trusting'] as const) {
    for (const { sent, iamCheck, twinHeader, ...rule } of RULES) {
      const expected = rule[service]
      const name = `${service}, ${nameOf(sent)}, twin in ${twinHeader}, IAM check ${iamCheck}`
      t.test(`${name}: ${expected.status}`, async (t) => {
        const url = withTwinHeader[twinHeader][service][iamCheck]
        for (const kind of kinds) {
          const answer = await call(url, { kind, tokenHeaders: sent })
          t.match(answer, expected, kind.name)
          t.equal(answer.email, expected.status === 200 ? kind.email : undefined, kind.name)
        }
      })
    }
  }

  /** By a key of this account, in the way that is good everywhere. */
  const callAs = (email: string, url: string): Promise<Answer> => {
    const [, key] = kindsOfCredentials(google, { login: email, person })
    return call(url, { kind: key as Kind })
  }

  t.test('who may not invoke the service meets the front end', async (t) => {
    t.match(await callAs(search, outcome.on), FRONT_END_403)
    t.match(await callAs(search, outcome.off), NOT_ALLOWED, 'without the check, the plugin')
  })

  t.test('who may invoke it and is in no list meets the plugin', async (t) => {
    for (const url of [outcome.on, outcome.off, trusting.on, trusting.off]) {
      t.match(await callAs(signup, url), NOT_ALLOWED)
    }
  })

  t.test('Authorization is the application’s own beside X-Serverless-Authorization', async (t) => {
    const basic = 'Basic YWRhOmxvdmVsYWNl'
    const own: Omit<Call, 'kind'> = {
      tokenHeaders: 'x-serverless-authorization',
      headers: { authorization: basic },
    }
    for (const kind of kinds) {
      for (const iamCheck of IAM_CHECK) {
        t.match(await call(outcome[iamCheck], { kind, ...own }), {
          status: 401,
          code: 'ID_TOKEN_SIGNATURE_REMOVED',
        })
        t.match(await call(trusting[iamCheck], { kind, ...own }), {
          status: 200,
          email: kind.email,
          header: 'x-serverless-authorization',
          signatureVerified: false,
          authorization: basic,
        })
      }
    }
  })

  t.test('Authorization is the application’s own beside a twin', async (t) => {
    const basic = 'Basic YWRhOmxvdmVsYWNl'
    for (const kind of kinds) {
      for (const iamCheck of IAM_CHECK) {
        const url = withTwinHeader['x-profiles-token'].outcome[iamCheck]
        const headers = { authorization: basic }
        t.match(await call(url, { kind, tokenHeaders: TWIN, headers }), {
          status: 200,
          email: kind.email,
          header: 'x-profiles-token',
          signatureVerified: true,
          authorization: basic,
        })
      }
    }
  })

  const { push } = google
  const pushes = [
    { product: push.pubsub, agent: /APIs-Google/, body: { message: { data: /^\w+/ } } },
    { product: push.cloudTasks, agent: 'Google-Cloud-Tasks' },
    { product: push.cloudScheduler, agent: 'Google-Cloud-Scheduler' },
    { product: push.eventarc, agent: /APIs-Google/ },
  ]
  for (const { product, ...arrives } of pushes) {
    const pushTo = async (front: string, serviceAccount: string): Promise<Answer> =>
      answerOf(await product({ url: `${front}/events`, serviceAccount, audience }))

    t.test(`${product.name}: a push sends Authorization, and nothing else`, async (t) => {
      for (const one of RULES.filter(({ sent }) => sent === 'authorization')) {
        const { iamCheck, twinHeader, ...rule } = one
        for (const service of ['outcome', 'trusting'] as const) {
          const answer = await pushTo(withTwinHeader[twinHeader][service][iamCheck], events)
          t.match(answer, rule[service], `${service}, twin in ${twinHeader}, IAM check ${iamCheck}`)
          if (answer.status === 200) t.match(answer, { email: events, ...arrives })
        }
      }
    })

    t.test(`${product.name}: a push by another account`, async (t) => {
      t.match(await pushTo(outcome.on, search), FRONT_END_403)
      t.match(await pushTo(trusting.on, search), FRONT_END_403)
      t.match(await pushTo(outcome.off, search), NOT_ALLOWED)
      t.match(await pushTo(trusting.on, login), NOT_ALLOWED, 'in the list of another route')
      t.match(await pushTo(outcome.off, login), NOT_ALLOWED)
    })
  }
}
