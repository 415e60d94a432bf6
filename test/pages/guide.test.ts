import { createPublicKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OAuth2Client } from 'google-auth-library'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { GUIDE_TABLE_NAMES } from './tables.ts'
import { remedyFor } from '../../src/errors/recognised-mistakes.ts'
import { GCLOUD_CLIENT } from '../../src/testing/emulator/users.ts'
import { parseVerifierOptions, OPTION_NAMES } from '../../src/verifier/verifier-options.ts'
import { channels } from '../../src/telemetry/diagnostics-channels.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { blocks, blocksOf, guide, textOf } from './blocks.ts'
import { meterWith } from '../helpers/meter.ts'
import { audience, login } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const LOGGING = ['@google-cloud/pino-logging-gcp-config', 'pino']
const root = fileURLToPath(new URL('../..', import.meta.url))

t.test('every block is of a kind that is run or checked', (t) => {
  const known = ['ts', 'js', 'cjs', 'sh', 'json', 'http']
  t.same(
    blocks.filter(({ language }) => !known.includes(language)).map(({ code }) => code),
    [],
  )
  // package.test.ts runs the js block with the packed package: only there can it be required.
  // The matrix runs Jest with the cjs block.
  t.equal(blocksOf('js').length, 1)
  t.equal(blocksOf('cjs').length, 1)
  t.equal(guide.match(/^```\w/gm)?.length, blocks.length)
  t.end()
})

t.test('each table stands on one page, once', (t) => {
  for (const table of GUIDE_TABLE_NAMES) {
    t.equal(guide.split(`<!-- ${table} -->`).length, 2, table)
  }
  t.end()
})

t.test('the README stays short', (t) => {
  t.ok(
    textOf('README.md').split('\n').length - 1 <= 320,
    'what is longer belongs on a page of docs/',
  )
  t.end()
})

t.test('the options table has every option, once, with its default', (t) => {
  const rows = rowsOf('options')
  t.same(
    rows.map(([name]) => name),
    OPTION_NAMES.map((name) => `\`${name}\``),
  )
  const { rules, keys, maxStale, fetchTimeout, cacheSize, trustRemovedSignature } =
    parseVerifierOptions({
      audience,
    })
  const defaults = {
    issuer: rules.issuers.map((one) => `\`${one}\``).join(' and '),
    jwksUri: `\`${keys as string}\``,
    maxStale: String(maxStale / 1000),
    fetchTimeout: String(fetchTimeout / 1000),
    clockTolerance: String(rules.clockTolerance),
    maxTokenLifetime: String(rules.maxTokenLifetime),
    tokenCache: `\`{ max: ${cacheSize} }\``,
    trustRemovedSignature: `\`${trustRemovedSignature}\``,
  }
  for (const [name, value] of Object.entries(defaults)) {
    t.equal(rows.find(([option]) => option === `\`${name}\``)?.[1], value, name)
  }
  t.throws(() => parseVerifierOptions({}), { message: /audience is missing/ })
  t.same(rowsOf('plugin options')[0]?.slice(0, 2), ['`prefetch`', '`true`'])
  t.equal(rows[0]?.[1], 'required')
  t.end()
})

t.test('the metrics and channels are those that there are', (t) => {
  const metrics: string[] = []
  const note = (name: string): void => void metrics.push(name)
  const nothing = meterWith(() => ({ add: () => undefined }))
  createMetrics({
    createCounter: (name) => {
      note(name)
      return nothing.createCounter(name)
    },
    createHistogram: (name) => {
      note(name)
      return nothing.createHistogram(name)
    },
    createObservableGauge: (name) => {
      note(name)
      return nothing.createObservableGauge(name)
    },
  })
  t.same(
    [...guide.matchAll(/^\| `(google_id_token\.[\w.]+)`/gm)].map(([, name]) => name).sort(),
    metrics.sort(),
  )
  t.same(
    [...guide.matchAll(/^\| `(fastify-google-id-token:[\w:]+)`/gm)].map(([, name]) => name),
    Object.values(channels).map(({ name }) => name),
  )
  t.end()
})

t.test('the files that CONTRIBUTING.md names are there', (t) => {
  const page = textOf('CONTRIBUTING.md')
  const named = [...page.matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g)].map(([, file = '']) => file)
  t.ok(named.length > 10)
  t.same(
    named.filter((file) => ![join(root, 'src', file), join(root, file)].some(existsSync)),
    [],
  )
  t.end()
})

t.test('the folders of src are those of CONTRIBUTING.md', (t) => {
  const [, tree = ''] = /^(\| folder .*?\n)\n/ms.exec(textOf('CONTRIBUTING.md')) ?? []
  const named = [...tree.matchAll(/^\| `(\w+)` /gm)].map(([, folder]) => folder)
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  t.same(named.toSorted(), folders.toSorted())
  t.end()
})

t.test('the sh blocks install what there is and run scripts that there are', (t) => {
  const { name, scripts, peerDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as { name: string; scripts: object; peerDependencies: object }
  // rollout.md shows a program with these two.
  const packages = [name, ...Object.keys(peerDependencies), ...LOGGING]
  const ofNpm = blocksOf('sh').filter(({ code }) => !code.startsWith('gcloud '))
  for (const line of ofNpm.flatMap(({ code }) => code.trim().split(/\n| && /))) {
    const [npm, command = '', ...rest] = line.split(' ')
    t.equal(npm, 'npm', line)
    if (command === 'install')
      t.same(
        rest.filter((one) => !packages.includes(one)),
        [],
        line,
      )
    else if (command !== 'ci') t.ok(Object.hasOwn(scripts, command), line)
  }
  t.end()
})

t.test('the gcloud command has the flags of the remedy', (t) => {
  const evidence = {
    iss: issuer.issuer,
    aud: GCLOUD_CLIENT,
    email: undefined,
    source: 'id-token',
    staticKeys: false,
  } as const
  const remedy = remedyFor('ID_TOKEN_AUDIENCE_MISMATCH', evidence) ?? ''
  const shown = blocksOf('sh').filter(({ code }) => code.startsWith('gcloud '))
  t.same(
    shown.map(({ code }) => flagsOf(code)),
    [flagsOf(remedy)],
  )
  t.equal(flagsOf(remedy).length, 3)
  t.end()
})

t.test('what it says of google-auth-library and jose', async (t) => {
  const elsewhere = await issuer.idToken({ audience: 'https://elsewhere.example', email: login })
  const forged = `${elsewhere.slice(0, -8)}AAAAAAAA`

  const client = new OAuth2Client()
  const verify = (token: string, wanted?: string): Promise<unknown> =>
    client.verifySignedJwtWithCertsAsync(token, pemKeys(), wanted, [issuer.issuer])
  await t.resolves(verify(elsewhere))
  await t.rejects(verify(elsewhere, audience))
  await t.rejects(verify(forged), { message: forged })

  const keys = createLocalJWKSet({ keys: [...issuer.jwks.keys] })
  await t.resolves(jwtVerify(elsewhere, keys))
  await t.rejects(jwtVerify(elsewhere, keys, { audience }))
  await t.rejects(jwtVerify(forged, keys), { message: 'signature verification failed' })
})

function flagsOf(command: string): string[] {
  return [...command.matchAll(/--[a-z-]+/g)].map(([flag]) => flag).toSorted()
}

function pemKeys(): Record<string, string> {
  return Object.fromEntries(
    issuer.jwks.keys.map((key) => [
      key.kid ?? '',
      createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString(),
    ]),
  )
}

/** The cells of a generated table, row by row. */
function rowsOf(table: string): string[][] {
  const [, inner = ''] = guide.split(new RegExp(`<!-- (?:end of )?${table} -->`))
  return inner
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}
