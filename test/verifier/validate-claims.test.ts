/** The rules for claims, to the second, and what a log says of each. */
import t from 'tap'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { validateClaims } from '../../src/verifier/validate-claims.ts'

const NOW = 1_000_000
const TOLERANCE = 60
const LONGEST = 3_600
const issuers = ['https://accounts.google.com', 'accounts.google.com']
const rules = { issuers, clockTolerance: TOLERANCE, maxTokenLifetime: LONGEST }
const audiences = parseAudiences('audience', ['https://a.example', 'b'])
const good = { iss: 'accounts.google.com', aud: 'b', sub: '1', iat: NOW, exp: NOW + LONGEST }

/** The audience that matched, or the code, and what was expected and found, in words. */
function outcome(claims: object, now = NOW): unknown {
  const result = validateClaims({ ...good, ...claims }, rules, audiences, now)
  if (typeof result === 'string') return result
  const wordsOf = (value: unknown): unknown =>
    typeof value === 'function' ? (value as () => unknown)() : value
  return [result.code, wordsOf(result.expected), wordsOf(result.found)]
}

t.test('good claims give the configured audience that matched', (t) => {
  t.equal(outcome({}), 'b')
  for (const iss of issuers) t.equal(outcome({ iss }), 'b')
  t.equal(outcome({ aud: 'https://a.example/' }), 'https://a.example')
  t.end()
})

t.test('the first broken rule is the outcome', (t) => {
  const all = { iss: 'x', aud: 'y', exp: 0, nbf: 2 * NOW, iat: -NOW }
  t.strictSame(outcome(all), ['ID_TOKEN_ISSUER_MISMATCH', issuers, 'x'])
  const { iss } = good
  t.strictSame(outcome({ ...all, iss }), [
    'ID_TOKEN_AUDIENCE_MISMATCH',
    ['https://a.example', 'b'],
    'y',
  ])
  const claims = { ...all, iss, aud: 'b' }
  t.match(outcome(claims), ['ID_TOKEN_EXPIRED'])
  t.match(outcome({ ...claims, exp: NOW }), ['ID_TOKEN_NOT_YET_VALID', /^nbf /])
  t.match(outcome({ exp: NOW + 2 * LONGEST, iat: 2 * NOW }), ['ID_TOKEN_NOT_YET_VALID', /^iat /])
  t.match(outcome({ ...claims, exp: NOW, nbf: 0 }), ['ID_TOKEN_LIFETIME_TOO_LONG'])
  t.end()
})

t.test('times count to the second, with the tolerance', (t) => {
  t.strictSame(outcome({ iat: NOW - 120, exp: NOW - TOLERANCE }), [
    'ID_TOKEN_EXPIRED',
    'exp at most 1 minute ago',
    `exp ${NOW - TOLERANCE}, 1 minute ago`,
  ])
  t.equal(outcome({ iat: NOW - 120, exp: NOW - TOLERANCE + 1 }), 'b')
  const late = NOW + TOLERANCE
  t.equal(outcome({ nbf: late }), 'b')
  t.strictSame(outcome({ nbf: late + 1 }), [
    'ID_TOKEN_NOT_YET_VALID',
    'nbf at most 1 minute from now',
    `nbf ${late + 1}, 1 minute 1 second from now`,
  ])
  t.equal(outcome({ iat: late }), 'b')
  t.strictSame(outcome({ iat: late + 1 }), [
    'ID_TOKEN_NOT_YET_VALID',
    'iat at most 1 minute from now',
    `iat ${late + 1}, 1 minute 1 second from now`,
  ])
  t.equal(outcome({ exp: NOW + LONGEST }), 'b')
  t.strictSame(outcome({ exp: NOW + LONGEST + 1 }), [
    'ID_TOKEN_LIFETIME_TOO_LONG',
    'exp - iat at most 3600 (1 hour)',
    '3601 (1 hour)',
  ])
  t.end()
})

t.test('a clock that gives no number lets nothing in', (t) => {
  t.match(outcome({}, NaN), ['ID_TOKEN_EXPIRED', 'exp at most 1 minute ago', / from now$/])
  t.match(outcome({ iat: NOW, exp: NOW }, NOW + 2 * TOLERANCE), [
    'ID_TOKEN_EXPIRED',
    'exp at most 1 minute ago',
    `exp ${NOW}, 2 minutes ago`,
  ])
  t.end()
})
