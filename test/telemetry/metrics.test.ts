/** The metrics and spans, with the real SDK and its exporter for Prometheus. */
import { context, trace } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { googleIdToken } from '../../src/express.ts'
import type { Meter } from '../../src/index.ts'
import { frameworks, recordedLog } from '../helpers/guarded-app.ts'
import type { RawRequest } from '../helpers/raw-request.ts'
import { audience, login, signup } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks }

const bearer = async (email: string): Promise<RawRequest> => ({
  headers: [['authorization', `Bearer ${await issuer.idToken({ email, audience })}`]],
})
const fromLogin = await bearer(login)
const fromSignup = await bearer(signup)

/** A meter, and what Prometheus would get: lines without comments and resources. */
function measured(t: Test): { readonly meter: Meter; readonly scrape: () => Promise<string[]> } {
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  })
  const provider = new MeterProvider({ readers: [exporter] })
  t.teardown(() => provider.shutdown())
  return {
    meter: provider.getMeter('test'),
    scrape: () =>
      new Promise((resolve) => {
        const response = {
          setHeader: () => undefined,
          end: (text: string) => {
            resolve(text.split('\n').filter((line) => line.startsWith('google')))
          },
        }
        exporter.getMetricsRequestHandler({} as never, response as unknown as ServerResponse)
      }),
  }
}

for (const { name, start } of frameworks) {
  t.test(`${name}: outcomes are counted by route, code and enforcement`, async (t) => {
    const { meter, scrape } = measured(t)
    for (const reportOnly of [false, true]) {
      const { ask } = await start(t, {
        options: { ...options, meter, reportOnly },
        policy: { allowedCallers: [login] },
      })
      await ask(fromLogin)
      await ask({ ...fromLogin, path: '/orders/2' })
      await ask({ ...fromLogin, path: '/orders/3' })
      await ask(fromSignup)
    }
    const verdicts = (await scrape()).filter((line) => line.includes('verdicts'))
    t.strictSame(
      [...verdicts].sort(),
      ['false', 'true'].flatMap((enforced) => [
        `google_id_token_verdicts_total{enforced="${enforced}",http_route="/orders/:id",outcome="accepted"} 3`,
        `google_id_token_verdicts_total{enforced="${enforced}",http_route="/orders/:id",outcome="refused",error_type="ID_TOKEN_CALLER_NOT_ALLOWED"} 1`,
      ]),
    )
    t.notOk(verdicts.join().includes('signup'), 'nobody is named')
  })
}

t.test('fetches of keys, their age, and remembered tokens', async (t) => {
  const { meter, scrape } = measured(t)
  const answers = [new Response('', { status: 500 }), Response.json(issuer.jwks)]
  const verifiers = answers.map((answer) => {
    const fetch = () => Promise.resolve(answer)
    const { logger } = recordedLog()
    return googleIdToken({ ...options, jwks: undefined, fetch, meter, logger }).verifier
  })
  for (const verifier of verifiers) await verifier.ready().catch(() => undefined)
  const token = await issuer.idToken({ email: login, audience })
  for (let i = 0; i < 5; i += 1) await verifiers[1]?.verify(token)
  const lines = (await scrape()).join('\n')
  t.match(lines, /key_fetches_total\{outcome="ok",source="id-token"\} 1/)
  t.match(lines, /key_fetches_total\{outcome="failed",source="id-token"\} 1/)
  t.match(lines, /key_fetch_duration\w*_count\{outcome="ok",source="id-token"\} 1/)
  t.match(lines, /key_fetch_duration\w*_bucket\{outcome="ok",source="id-token",le="0\.01"\}/)
  t.match(lines, /keys_age\w*\{source="id-token"\} 0/)
  t.match(lines, /token_cache_hits_total 3/, 'remembered after the second use')
  for (const verifier of verifiers) verifier.close()
  // The SDK keeps telling the last value, which grows as long as it asks for it.
  const ageNow = async () => (await scrape()).filter((line) => line.includes('keys_age'))
  const closedAt = await ageNow()
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.strictSame(await ageNow(), closedAt, 'a closed verifier is not asked for its age any more')
})

t.test('the meter must have what is used', (t) => {
  const meter = { createCounter: () => ({ add: () => undefined }) } as unknown as Meter
  t.throws(() => googleIdToken({ ...options, meter }), {
    message: /^Option meter is .*; accepted: an OpenTelemetry Meter$/,
  })
  t.end()
})

/** Spans as exported, from a request inside a span. */
function traced(t: Test) {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  t.teardown(() => provider.shutdown())
  const tracer = provider.getTracer('test')
  const attributesOf = (
    headers: [string, string][],
    more: object,
  ): Record<string, unknown> | undefined => {
    const span = tracer.startSpan('GET /orders/:id')
    const traceOf = { getActiveSpan: () => span }
    const auth = googleIdToken({
      ...options,
      logger: recordedLog().logger,
      tracing: { trace: traceOf, ...more },
    })
    const request = { headers: Object.fromEntries(headers), method: 'GET', url: '/orders/1' }
    const response = { headersSent: true }
    auth(request as never, response as never, () => undefined)
    span.end()
    return exporter.getFinishedSpans().at(-1)?.attributes
  }
  return attributesOf
}

t.test('the span of a request has the outcome, and the caller if asked for', (t) => {
  const attributesOf = traced(t)
  const { headers: good = [] } = fromLogin
  const { headers: other = [] } = fromSignup
  t.strictSame(attributesOf(good as [string, string][], {}), {
    'google_id_token.outcome': 'accepted',
    'google_id_token.enforced': true,
  })
  t.strictSame(attributesOf(other as [string, string][], { caller: false }), {
    'google_id_token.outcome': 'refused',
    'google_id_token.refusal': 'ID_TOKEN_CALLER_NOT_ALLOWED',
    'google_id_token.enforced': true,
  })
  t.match(attributesOf(other as [string, string][], { caller: true }), {
    'google_id_token.caller.email': signup,
    'google_id_token.caller.subject': /^\d+$/,
  })
  t.notMatch(attributesOf([['authorization', 'Bearer a.b.c']], { caller: true }), {
    'google_id_token.caller.subject': String,
  })
  t.end()
})

t.test("the API's own trace fits, with and without a span", (t) => {
  const auth = googleIdToken({ ...options, tracing: { trace } })
  const request = { headers: Object.fromEntries(fromLogin.headers ?? []), method: 'GET' }
  const run = (): unknown => {
    let problem: unknown = 'not called'
    auth(request as never, {} as never, (error) => {
      problem = error
    })
    return problem
  }
  t.equal(run(), undefined)
  t.equal(context.with(context.active(), run), undefined)
  t.end()
})

function assertServed(t: Test, auth: ReturnType<typeof googleIdToken>, times: number): void {
  const request = { headers: Object.fromEntries(fromLogin.headers ?? []), method: 'GET' }
  for (let i = 0; i < times; i += 1) {
    auth(request as never, {} as never, (error) => {
      t.equal(error, undefined)
    })
  }
}

t.test('a span that throws refuses nobody, and the process warns once a minute', (t) => {
  const warned = t.capture(process, 'emitWarning')
  const getActiveSpan = (): never => {
    throw new Error('out of order')
  }
  const auth = googleIdToken({ ...options, tracing: { trace: { getActiveSpan } } })
  assertServed(t, auth, 3)
  t.equal(warned().length, 1)
  t.end()
})

t.test('a meter that throws refuses nobody, and the process warns once a minute', (t) => {
  const warned = t.capture(process, 'emitWarning')
  const fail = (): never => {
    throw new Error('out of order')
  }
  const meter: Meter = {
    createCounter: () => ({ add: fail }),
    createHistogram: () => ({ record: fail }),
    createObservableGauge: () => ({ addCallback: fail, removeCallback: fail }),
  }
  const auth = googleIdToken({ ...options, meter })
  assertServed(t, auth, 3)
  t.equal(warned().length, 1)
  t.end()
})

t.test('wrong tracing fails at start', (t) => {
  for (const [tracing, message] of [
    [{}, /^Option tracing\.trace is missing; accepted: the trace of @opentelemetry\/api/],
    [{ trace: {} }, /^Option tracing\.trace is \{\}/],
    [{ trace, caller: 1 }, /^Option tracing\.caller is 1/],
    [true, /^Option tracing is true/],
  ] as const) {
    t.throws(() => googleIdToken({ ...options, tracing: tracing as never }), { message })
  }
  t.end()
})
