import { WriteStream } from 'node:tty'
import { parseArgs } from 'node:util'
import pino from 'pino'
import { callsTable } from './calls-table.ts'
import { curlLines } from './curl-lines.ts'
import { journeysTable } from './journeys-table.ts'
import { makeCalls } from './make-calls.ts'
import { makeJourneys, makeJourneysForUser } from './make-journeys.ts'
import type { Marks } from './plain-table.ts'
import { pushEvents } from './push-events.ts'
import { rolloutText } from './rollout/rollout-text.ts'
import { runRollout } from './rollout/run-rollout.ts'
import { SCENARIO } from './scenario.ts'
import { startServices, type Shop } from './start-services.ts'

const USAGE = `\
Usage: npm start [-- --once | --rollout]

  --once      stop after the tables: exit 0 where every call came out as expected, 1 otherwise
  --rollout   turn the guard on for a service where calls already flow, step by step
              (docs/rollout.md): exit 0 where every step came out as expected, 1 otherwise

LOG_LEVEL sets the level of the services' logs (stderr). Left out, refusals are logged from the
moment that the tables are there.
`

const settings = readSettings()
await (settings.rollout ? showRollout() : main(settings))

async function showRollout(): Promise<void> {
  const steps = await runRollout()
  process.stdout.write(`\n${rolloutText(steps, marks())}`)
  const asExpected = steps.every((step) =>
    'rows' in step ? step.rows.every((row) => row.asExpected) : step.asExpected,
  )
  process.stdout.write(`\n${steps.length} steps, ${asExpected ? 'all' : 'not all'} as expected.\n`)
  process.exitCode = asExpected ? 0 : 1
}

async function main({ once, logLevel }: Settings): Promise<void> {
  const shop = await startServices(
    pino({ level: logLevel ?? 'error' }, pino.destination({ fd: 2, sync: true })),
  )
  const scenes = await makeCalls(SCENARIO, shop)
  process.stdout.write(`\n${callsTable(scenes, marks())}\n`)
  const journeys = [
    ...(await makeJourneys(shop)),
    await makeJourneysForUser(shop),
    await pushEvents(shop),
  ]
  process.stdout.write(`${journeysTable(journeys, marks())}\n`)

  const results = [
    ...scenes.flatMap(({ rows }) => rows),
    ...journeys.flatMap(({ rows }) => rows.flatMap(({ on, off }) => [on, off])),
  ]
  const wrong = results.filter(({ asExpected }) => !asExpected).length
  const summary = wrong === 0 ? 'all as expected' : `${wrong} of them not as expected`
  process.stdout.write(`${results.length} calls, ${summary}.\n`)
  if (once) {
    await shop.close()
    process.exitCode = wrong === 0 ? 0 : 1
    return
  }
  if (logLevel === undefined) shop.setLogLevel('warn')
  closeWhenTold(shop)
  process.stdout.write(
    `\nThe services keep serving; Ctrl-C ends them. Lines to paste into another terminal:\n\n${curlLines(shop)}`,
  )
}

interface Settings {
  once: boolean
  rollout: boolean
  logLevel: string | undefined
}

function readSettings(): Settings {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { once, rollout } = parseArgs({ options: { once: flag, rollout: flag } }).values
    const logLevel = process.env.LOG_LEVEL === '' ? undefined : process.env.LOG_LEVEL
    const levels = [...Object.keys(pino.levels.values), 'silent']
    if (logLevel !== undefined && !levels.includes(logLevel)) {
      throw new Error(`LOG_LEVEL is ${logLevel}; it may be ${levels.join(', ')}`)
    }
    return { once, rollout, logLevel }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(2)
  }
}

function marks(): Marks {
  // hasColors() reads NO_COLOR and FORCE_COLOR, and needs no terminal for that.
  const mayBeColoured = process.stdout.isTTY || process.env.FORCE_COLOR !== undefined
  const colours = mayBeColoured && WriteStream.prototype.hasColors()
  const style =
    (on: number, off: number) =>
    (text: string): string =>
      colours ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return { title: style(1, 22), good: style(32, 39), bad: style(31, 39) }
}

/** A second signal ends the process at once, as it would without this. */
function closeWhenTold(shop: Shop): void {
  const parent = process.ppid
  const close = (): void => {
    process.off('SIGINT', close).off('SIGTERM', close)
    clearInterval(orphaned)
    void shop.close()
  }
  // npm passes SIGTERM on to its shell alone, and a shell like dash dies of it without a word to us.
  const orphaned = setInterval(() => {
    if (process.env.npm_lifecycle_event === 'start' && process.ppid !== parent) close()
  }, 250)
  process.on('SIGINT', close).on('SIGTERM', close)
}
