import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { FlappingEndpoint, FLAPS } from '../soak/endpoint.ts'
import { cells, headings, soakPage, soakTable } from '../soak/report.ts'
import { addLatency, brokenPromises, newMinute, percentile } from '../soak/tally.ts'

t.test('the endpoints fail in nine ways, none of which brings keys', (t) => {
  t.equal(FLAPS.length, 9)
  t.notOk(FLAPS.some(({ usable }) => usable))
  t.end()
})

t.test('a key can be known once the service has got it, or could have asked', async (t) => {
  const endpoint = await FlappingEndpoint.start({ kty: 'RSA', n: 'AQAB', e: 'AQAB' })
  t.teardown(() => endpoint.close())
  endpoint.publish(['new'])
  const now = (): number => performance.now()
  t.notOk(endpoint.couldKnow('one', 'new', now(), 0), 'just published')
  t.ok(endpoint.couldKnow('one', 'new', now() + 5_100, 0), 'published for five seconds')
  t.notOk(endpoint.couldKnow('one', 'new', now() + 5_100, now() + 1_000), 'started since')
  t.notOk(endpoint.couldKnow('one', 'other', now() + 5_100, 0), 'never published')

  const [fault] = FLAPS.filter(({ name }) => name === '500')
  if (fault === undefined) throw new Error('no such fault')
  await endpoint.fail(fault)
  t.equal((await fetch(endpoint.uriFor('one'))).status, 500)
  t.notOk(endpoint.couldKnow('one', 'new', now() + 60_000, 0), 'the endpoint fails')
  await endpoint.recover(fault)
  t.notOk(endpoint.couldKnow('one', 'new', now() + 1_000, 0), 'it is just back')

  t.equal((await fetch(endpoint.uriFor('one'))).status, 200)
  await sleep(20)
  t.ok(endpoint.couldKnow('one', 'new', now() + 300, 0), 'it has got the key')
  t.notOk(endpoint.couldKnow('two', 'new', now() + 300, 0), 'another service was not')
})

t.test('each broken promise of a minute is said', (t) => {
  const broken = {
    ...newMinute(),
    badServed: ['fastify: forged: 200'],
    wronglyRefused: ['express: valid: 401'],
    failed: ['express: valid: 500'],
    unhandled: 1,
  }
  t.strictSame(brokenPromises([newMinute(), broken]), [
    'minute 2: served fastify: forged: 200',
    'minute 2: refused express: valid: 401',
    'minute 2: no answer: express: valid: 500',
    'minute 2: 1 unhandled errors',
  ])
  t.strictSame(brokenPromises([{ ...newMinute(), keyUnknown: 7 }]), [])
  t.end()
})

t.test('the table and the page', async (t) => {
  const minute = { ...newMinute(), served: 1234, heap: 21 * 1024 * 1024, cached: 3, most: 300 }
  for (let milliseconds = 1; milliseconds <= 100; milliseconds += 1) {
    addLatency(minute, 'fastify', milliseconds)
  }
  t.equal(percentile(minute.latencies.get('fastify') ?? [], 0.99), 99)
  t.equal(percentile([], 0.99), 0)
  const row = cells(minute, 1, ['fastify', 'express'])
  t.equal(row.length, headings(['fastify', 'express']).length)
  t.match(row.join(' '), /^1 1,234 .* 21\.0 .* 3 of 300 .* 99 0$/)
  const held = { heap: 20 * 1024 * 1024, resources: 7 }
  const result = {
    node: '20.19.0',
    minutes: [minute],
    before: held,
    after: held,
    services: ['fastify', 'express'],
  }
  t.match(soakTable(result), '1,234')
  const page = await soakPage(result)
  t.match(page, /^# Soak test/)
  t.match(page, '1 minutes on Node 20.19.0')
  t.match(page, '20.0 MB and 7 resources')
})
