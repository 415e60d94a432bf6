import { readFileSync } from 'node:fs'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import { jwks, optionsOf, rawHeadersOf, rows, type ExpectedOutcome } from '../../fixtures/rows.ts'
import { fixtureFiles } from '../../fixtures/table.ts'
import { createVerifier, IdTokenError, type Caller } from '../../src/index.ts'
import { OUTCOMES } from '../../src/errors/outcomes.ts'

t.test('the committed files are what the script makes', async (t) => {
  for (const [name, text] of await fixtureFiles()) {
    const committed = readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')
    t.ok(committed === text, `${name}: run npm run fixtures`)
  }
})

t.test('the public key set holds no private key', (t) => {
  t.equal(jwks.keys.length, 2)
  for (const key of jwks.keys) {
    t.strictSame(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  }
  t.end()
})

t.test('each row has a name of its own', (t) => {
  t.equal(new Set(rows.map(({ name }) => name)).size, rows.length)
  t.end()
})

t.test('each outcome has several rows', (t) => {
  const shown = rows.map(({ outcome }) => ('code' in outcome ? outcome.code : 'accepted'))
  for (const code of Object.keys(OUTCOMES)) {
    const count = shown.filter((one) => one === code).length
    t.ok(count >= 2, `${code}: ${count} rows`)
  }
  t.end()
})

t.test('the longest row is as long as a token may be, and the next one longer', (t) => {
  const lengthOf = (name: string) =>
    rows.find((row) => row.name === name)?.headers[0]?.[1].slice('Bearer '.length).length
  t.equal(lengthOf('shape/8192-characters'), 8192)
  t.equal(lengthOf('shape/8193-characters'), 8193)
  t.end()
})

t.test('the verifier decides each row as the table says', async (t) => {
  // trustRemovedSignature is refused where this is not set.
  process.env.K_SERVICE = 'user-profiles'
  t.teardown(() => delete process.env.K_SERVICE)
  for (const row of rows) {
    const verifier = createVerifier({ ...optionsOf(row), logger: { warn: () => undefined } })
    const request = new IncomingMessage(new Socket())
    request.rawHeaders.push(...rawHeadersOf(row))
    const outcome = () => verifier.authenticate(request, row.route).then(accepted, refused)
    // A token is remembered from its second use on: the third outcome is a remembered one.
    for (const use of ['first', 'second', 'third']) {
      t.strictSame(await outcome(), row.outcome, `${row.name}, ${use} use`)
    }
  }
})

function accepted(caller: Caller | null): ExpectedOutcome {
  if (caller === null) return { status: 200, caller: null }
  const { email, subject, audience, header, signatureVerified } = caller
  return {
    status: 200,
    caller: { ...(email !== undefined && { email }), subject, audience, header, signatureVerified },
  }
}

function refused(error: unknown): unknown {
  if (!(error instanceof IdTokenError)) return error
  const challenge = error.headers['www-authenticate']
  return {
    status: error.statusCode,
    code: error.code,
    // The description is checked where messages are.
    ...(challenge !== undefined && {
      challenge: challenge.replace(/, error_description="[^"\\]*"$/, ''),
    }),
  }
}
