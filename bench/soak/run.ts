/**
 * `npm run soak -- --minutes 5`: guarded services under load, while keys rotate, their endpoints fail
 * and clients go away. Prints a row a minute, and fails if a promise was broken. With `--write` it also
 * writes docs/soak.md.
 */
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FlappingEndpoint, FLAPS } from './endpoint.ts'
import { loadOn, type Soak } from './load.ts'
import { cells, headings, soakPage, soakTable, type SoakResult } from './report.ts'
import { ServiceProcess, type Endpoints, type Target } from './services.ts'
import { brokenPromises, newMinute, type Minute } from './tally.ts'
import { poolFor, PUBLIC_KEYS } from './tokens.ts'

const SECOND = 1_000
const ROTATION = 15 * SECOND
const FAILING = 8 * SECOND
const WELL = 12 * SECOND
const RESTART = 30 * SECOND

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
})
const length = Number(values.minutes)
if (!Number.isInteger(length) || length < 1)
  throw new Error('--minutes is a whole number, 1 or more')

function target(service: string, rest: Partial<Target> = {}): Target {
  const stopped = { port: 0, startedAt: 0, isUp: false }
  return { service, id: service, http2: false, restarts: false, ...stopped, ...rest }
}

const STEADY = [target('fastify'), target('fastify-http2', { http2: true }), target('express')]
const RESTARTED = target('restarted', { restarts: true })

const kidOf = (period: number): string => `key-${period}`

/** A new key signs; the one before and the one after are published with it. */
async function rotateKeys(soak: Soak): Promise<void> {
  for (let period = 1; !soak.isOver; period += 1) {
    for (const endpoint of Object.values(soak.endpoints)) {
      endpoint.publish([period - 1, period, period + 1].map(kidOf))
    }
    soak.pool = await poolFor(kidOf(period))
    await pause(ROTATION, soak)
  }
}

async function flap(soak: Soak): Promise<void> {
  const endpoints = Object.values(soak.endpoints)
  for (let number = 0; !soak.isOver; number += 1) {
    const fault = FLAPS[number % FLAPS.length]
    if (fault === undefined) return
    await pause(WELL, soak)
    await Promise.all(endpoints.map((endpoint) => endpoint.fail(fault)))
    await pause(FAILING, soak)
    await Promise.all(endpoints.map((endpoint) => endpoint.recover(fault)))
  }
}

async function restart(soak: Soak): Promise<void> {
  for (let number = 1; !soak.isOver; number += 1) {
    RESTARTED.id = `restarted-${number}`
    const service = await ServiceProcess.start([RESTARTED], soak.endpoints)
    await pause(RESTART, soak)
    RESTARTED.isUp = false
    await service.end(number % 2 === 0)
  }
}

/** Waits, but not beyond the end. */
async function pause(milliseconds: number, soak: Soak): Promise<void> {
  const end = performance.now() + milliseconds
  while (performance.now() < end && !soak.isOver) await sleep(50)
}

async function run(): Promise<SoakResult> {
  const endpoints: Endpoints = {
    idTokens: await FlappingEndpoint.start(PUBLIC_KEYS.idTokens),
    assertions: await FlappingEndpoint.start(PUBLIC_KEYS.assertions),
  }
  const soak: Soak = {
    endpoints,
    pool: await poolFor(kidOf(1)),
    minute: newMinute(),
    isOver: false,
  }
  const steady = await ServiceProcess.start(STEADY, endpoints)
  const before = await steady.measure()
  const work = [rotateKeys(soak), flap(soak), restart(soak)]
  const load = [...STEADY, RESTARTED].map((one) => loadOn(one, soak))
  const minutes = await count(soak, steady)
  await Promise.all([...work, ...load])
  // Sockets of clients that have gone are closed in the next turns.
  await sleep(2 * SECOND)
  const after = await steady.measure()
  await steady.end()
  await Promise.all(Object.values(endpoints).map((endpoint) => endpoint.close()))
  return { node: process.versions.node, minutes, before, after, services: SERVICES }
}

const SERVICES = [...STEADY, RESTARTED].map(({ service }) => service)

async function count(soak: Soak, steady: ServiceProcess): Promise<Minute[]> {
  const minutes: Minute[] = []
  print(headings(SERVICES))
  while (minutes.length < length) {
    await sleep(60 * SECOND)
    const minute = Object.assign(soak.minute, await steady.measure())
    soak.minute = newMinute()
    minutes.push(minute)
    print(cells(minute, minutes.length, SERVICES))
  }
  soak.isOver = true
  return minutes
}

function print(row: readonly string[]): void {
  process.stdout.write(`${row.join(' | ')}\n`)
}

const result = await run()
process.stdout.write(`\n${soakTable(result)}\n`)
const broken = brokenPromises(result.minutes)
for (const promise of broken.slice(0, 20)) process.stderr.write(`${promise}\n`)
if (values.write) {
  await writeFile(new URL('../../docs/soak.md', import.meta.url), await soakPage(result))
}
process.exit(broken.length === 0 ? 0 : 1)
