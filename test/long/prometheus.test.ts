/** The queries of docs/operate.md, asked of a Prometheus that scrapes an app with traffic. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import googleIdToken, { type GoogleIdTokenOptions, type Meter } from '../../src/index.ts'
import { silent } from '../helpers/captured-log.ts'
import { freePort } from '../helpers/free-port.ts'
import { issuer } from '../helpers/issuer.ts'
import { listenOnLoopback } from '../helpers/listen-on-loopback.ts'
import { audience, login, signup } from '../helpers/shop.ts'
import { blocksIn, textOf } from '../pages/blocks.ts'

interface Sample {
  readonly metric: Record<string, string>
  readonly value: readonly [time: number, value: string]
}

/** What a query of the page is to return. */
interface Expected {
  /** The labels of one of its samples. */
  readonly metric: Record<string, string>
  readonly min: number
  readonly max: number
}

const code = 'ID_TOKEN_CALLER_NOT_ALLOWED'
const some = { min: Number.MIN_VALUE, max: Infinity }
const part = { min: Number.MIN_VALUE, max: 1 }
const source = 'id-token'

/** In the order of the page. */
const EXPECTED: readonly Expected[] = [
  { metric: { http_route: '/reported', error_type: code }, ...some },
  { metric: {}, ...part },
  { metric: { http_route: '/orders/:id' }, ...some },
  { metric: {}, ...some },
  { metric: { source }, ...part },
  { metric: { source }, min: 0, max: 60 },
  { metric: { source }, ...some },
  { metric: {}, ...part },
  { metric: {}, ...some },
]

/** All but the one that needs keys of half a day. */
const FIRING = [
  'IdTokenCallerNotListed',
  'IdTokenInternalError',
  'IdTokenKeyFetchesFail',
  'IdTokenNoKeys',
  'IdTokenRefusals',
]

const queries = blocksIn(textOf('docs/operate.md'))
  .filter(({ language }) => language === 'promql')
  .map((block) => block.code.trim())

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const skip = ['prometheus', 'promtool'].every(isInstalled)
  ? false
  : 'prometheus and promtool are not installed'

t.test('every query returns what the page says', { skip, timeout: 90_000 }, async (t) => {
  t.equal(queries.length, EXPECTED.length)
  const { meter, target } = await startExporter(t)
  const send = await startTraffic(t, meter)
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const prometheus = await startPrometheus(t, folder, target)
  let firing: readonly string[] = []
  const wrong = new Map(queries.map((query) => [query, 'not asked']))
  for (
    let rounds = 0;
    rounds < 60 && (wrong.size > 0 || firing.length < FIRING.length);
    rounds += 1
  ) {
    await send()
    await wait(500)
    for (const [index, query] of queries.entries()) {
      const samples = await ask(prometheus, inSeconds(query))
      if (isAsExpected(samples, EXPECTED[index])) wrong.delete(query)
      else if (wrong.has(query)) wrong.set(query, JSON.stringify(samples))
    }
    firing = await firingAlerts(prometheus)
  }
  t.strictSame([...wrong], [])
  t.strictSame(firing, FIRING, 'the alerts of the package fire')
})

t.test('every query can be the expression of an alert', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'promtool-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const rules = queries.map((query, index) => ({ alert: `Alert${index}`, expr: `${query} > 0` }))
  const file = join(folder, 'rules.yml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'operate', rules }] }))
  const said = execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  t.match(said, `SUCCESS: ${queries.length} rules found`)
  const alerts = fileURLToPath(new URL('../../docs/monitoring/alerts.yml', import.meta.url))
  const found = execFileSync('promtool', ['check', 'rules', alerts], { encoding: 'utf8' })
  t.match(found, 'SUCCESS: 6 rules found')
  t.end()
})

async function startExporter(t: Test): Promise<{ meter: Meter; target: string }> {
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const provider = new MeterProvider({ readers: [exporter] })
  t.teardown(() => provider.shutdown())
  const server = createServer((request, response) => {
    exporter.getMetricsRequestHandler(request, response)
  })
  const url = await listenOnLoopback(t, server)
  return { meter: provider.getMeter('test'), target: new URL(url).host }
}

/** Starts apps with and without keys. Returns what sends requests of each kind. */
async function startTraffic(t: Test, meter: Meter): Promise<() => Promise<void>> {
  const make = async (options: Partial<GoogleIdTokenOptions>): Promise<FastifyInstance> => {
    const app = Fastify()
    t.teardown(() => app.close())
    const common = { audience, allowedCallers: [login], meter, logger: silent }
    app.register(googleIdToken, { ...common, ...options })
    app.get('/orders/:id', () => ({}))
    app.get('/reported', { config: { idToken: { reportOnly: true } } }, () => ({}))
    await app.ready()
    return app
  }
  const withKeys = await make({ fetch: () => Promise.resolve(Response.json(issuer.jwks)) })
  const withoutKeys = await make({
    fetch: () => Promise.resolve(new Response('', { status: 500 })),
  })
  let isBroken = false
  const broken = await make({
    jwks: issuer.jwks,
    clock: () => {
      if (isBroken) throw new Error('out of order')
      return new Date()
    },
  })
  isBroken = true
  const tokens = [await tokenOf(login), await tokenOf(login), await tokenOf(signup)]
  return async () => {
    for (const app of [withKeys, withoutKeys, broken]) {
      for (const token of tokens) {
        for (const url of ['/orders/1', '/reported']) {
          await app.inject({ url, headers: { authorization: `Bearer ${token}` } })
        }
      }
    }
  }
}

function tokenOf(email: string): Promise<string> {
  return issuer.idToken({ email, audience })
}

/** Returns the URL of its API. */
async function startPrometheus(t: Test, folder: string, target: string): Promise<string> {
  const config = join(folder, 'prometheus.yml')
  const scrape = { job_name: 'app', static_configs: [{ targets: [target] }] }
  const global = { scrape_interval: '1s', evaluation_interval: '1s' }
  const rules = join(folder, 'alerts.yml')
  writeFileSync(rules, inSeconds(textOf('docs/monitoring/alerts.yml')))
  writeFileSync(config, JSON.stringify({ global, scrape_configs: [scrape], rule_files: [rules] }))
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  )
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await ended
  })
  const url = `http://${address}`
  while (!(await isReady(url))) await wait(100)
  return url
}

/** Queries and alerts with windows of seconds, where the page has minutes and hours. */
function inSeconds(text: string): string {
  return text.replace(/\[\w+\]/g, '[30s]').replace(/for: \d+[mh]/g, 'for: 1s')
}

async function firingAlerts(url: string): Promise<readonly string[]> {
  const answer = await fetch(`${url}/api/v1/alerts`)
  const { data } = (await answer.json()) as {
    data: { alerts: readonly { state: string; labels: { alertname: string } }[] }
  }
  const firing = data.alerts.filter(({ state }) => state === 'firing')
  return [...new Set(firing.map(({ labels }) => labels.alertname))].sort()
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok
  } catch {
    return false
  }
}

async function ask(url: string, query: string): Promise<readonly Sample[]> {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query }).toString()}`)
  const { data, error } = (await answer.json()) as {
    data?: { result: readonly Sample[] }
    error?: string
  }
  if (data === undefined) throw new Error(`${query}: ${error ?? ''}`)
  return data.result
}

function isAsExpected(samples: readonly Sample[], expected: Expected | undefined): boolean {
  return samples.some(({ metric, value: [, text] }) => {
    const value = Number(text)
    if (expected === undefined || !(value >= expected.min && value <= expected.max)) return false
    return JSON.stringify(sorted(metric)) === JSON.stringify(sorted(expected.metric))
  })
}

function sorted(metric: Record<string, string>): string[] {
  return Object.entries(metric)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
}
