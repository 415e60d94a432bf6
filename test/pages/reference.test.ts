/** The pages that are the reference of an entry say what is so. */
import t from 'tap'
import {
  parseServiceClientOptions,
  SERVICE_CLIENT_OPTION_NAMES,
} from '../../src/client/service-client-options.ts'
import { parseEmulatorOptions } from '../../src/testing/emulator/emulator-options.ts'
import { ENDPOINT_NAMES, endpointAt } from '../../src/testing/emulator/endpoint-names.ts'
import { CLOUD_SCHEDULER_OPTION_NAMES } from '../../src/testing/push/cloud-scheduler.ts'
import { CLOUD_TASKS_OPTION_NAMES } from '../../src/testing/push/cloud-tasks.ts'
import { EVENTARC_OPTION_NAMES } from '../../src/testing/push/eventarc.ts'
import { HTTP_TARGET_OPTION_NAMES } from '../../src/testing/push/http-target.ts'
import { PUBSUB_OPTION_NAMES } from '../../src/testing/push/pubsub.ts'
import { PUSH_OPTION_NAMES } from '../../src/testing/push/push-options.ts'
import { startEmulator } from '../helpers/emulator.ts'
import { blocksIn, textOf } from './blocks.ts'
import { REFERENCE } from './tables.ts'

const client = textOf('docs/client.md')
const emulator = textOf('docs/emulator.md')

/** The cells of a table, row by row, without its head. */
function rowsOf(table: string, page = emulator): string[][] {
  const [, after = ''] = page.split(`<!-- ${table} -->`)
  const [text = ''] = after.split(`<!-- end of ${table} -->`)
  return rowsIn(text)
}

function rowsIn(text: string): string[][] {
  return [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
    row.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  )
}

/** What stands in backticks. */
function quotedIn(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted)
}

t.test('the table of the client has every option, with its default', (t) => {
  const rows = rowsOf('options', client)
  t.same(
    rows.map(([option]) => quotedIn(option)[0]),
    SERVICE_CLIENT_OPTION_NAMES,
  )
  const { refreshBefore, timeout } = parseServiceClientOptions({ url: 'https://a.example' })
  const stated = new Map(rows.map(([option, standard]) => [quotedIn(option)[0], standard]))
  t.match(
    stated,
    new Map([
      ['url', 'required'],
      ['tokenHeaders', `\`'both'\``],
      ['refreshBefore', String(refreshBefore / 1000)],
      ['timeout', String(timeout / 1000)],
    ]),
  )
  t.end()
})

t.test('the tables of the emulator have every option, with its default', (t) => {
  const named = (table: string) => rowsOf(table).map(([option]) => quotedIn(option)[0])
  t.same(named('push options'), PUSH_OPTION_NAMES)
  t.same(named('pubsub options'), PUBSUB_OPTION_NAMES)
  t.same(named('http target options'), HTTP_TARGET_OPTION_NAMES)
  t.same(named('cloud tasks options'), CLOUD_TASKS_OPTION_NAMES)
  t.same(named('cloud scheduler options'), CLOUD_SCHEDULER_OPTION_NAMES)
  t.same(named('eventarc options'), EVENTARC_OPTION_NAMES)

  const settings: Record<string, unknown> = { ...parseEmulatorOptions({}) }
  for (const [option = '', stated = '', meaning = ''] of rowsOf('options')) {
    const value = settings[option.replaceAll('`', '')]
    const isExact = typeof value === 'number' || stated.startsWith('`')
    if (isExact && option !== '`allowRemote`') t.match(stated, String(value), option)
    t.not(meaning, '', option)
  }
  t.end()
})

t.test('the endpoints are those that there are', async (t) => {
  const rows = rowsOf('endpoints')
  t.same(
    rows.map(([endpoint]) => quotedIn(endpoint)[0]),
    ENDPOINT_NAMES,
  )
  const google = await startEmulator(t)
  const headers = { 'metadata-flavor': 'Google' }
  for (const [endpoint, paths] of rows) {
    for (const stated of quotedIn(paths)) {
      const path = stated.replace('EMAIL', 'a@example.com')
      t.equal(endpointAt(path), quotedIn(endpoint)[0], path)
      const answers = await Promise.all(
        ['GET', 'POST'].map((method) => fetch(`${google.url}${path}`, { method, headers })),
      )
      const statuses = answers.map(({ status }) => status)
      t.ok(
        statuses.some((status) => status !== 404),
        `${path} answers ${statuses.join()}`,
      )
    }
  }
})

t.test('the environment of a child process is what the page says', async (t) => {
  const google = await startEmulator(t)
  const [, section = ''] = emulator.split('## A service that asks the metadata server')
  const [text = ''] = section.split('\n## ')
  t.same(
    rowsIn(text)
      .map(([variable]) => quotedIn(variable)[0])
      .sort(),
    Object.keys(google.env).sort(),
  )
})

t.test('every block is in a program, or a line of a shell', (t) => {
  for (const page of REFERENCE.map(textOf)) {
    t.equal(page.match(/^```\w/gm)?.length, blocksIn(page).length)
  }
  t.end()
})
