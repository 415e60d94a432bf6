/** What a policy means: its own members, and the defaults for those that it does not have. */
import t from 'tap'
import {
  parseGuardPolicy,
  parseList,
  parsePolicy,
  requireList,
  withList,
} from '../../src/policy/access-policy.ts'
import { NO_CALLERS, parseAllowedCallers } from '../../src/policy/allowed-callers.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { audience, login, signup } from '../helpers/shop.ts'

const allowedCallers = parseAllowedCallers('allowedCallers', [login])
const audiences = parseAudiences('audience', audience)
const enforced = { optional: true, reportOnly: false, allowedCallers, audiences }
const reported = { ...enforced, reportOnly: true }
const withoutList = { ...enforced, allowedCallers: null }
const reportedWithoutList = { ...reported, allowedCallers: null }

t.test('a policy that says nothing has the defaults, and is not optional', (t) => {
  for (const defaults of [enforced, reported]) {
    t.strictSame(parseGuardPolicy('route', {}, defaults), { ...defaults, optional: false })
  }
  t.strictSame(parsePolicy('policy', {}, enforced), { ...enforced, optional: false })
  t.end()
})

t.test('what a policy says replaces the defaults', (t) => {
  const policy = parseGuardPolicy(
    'route',
    { optional: true, reportOnly: true, allowedCallers: [signup], audience: 'https://other' },
    enforced,
  )
  t.equal(policy.optional, true)
  t.equal(policy.reportOnly, true)
  t.strictSame(policy.allowedCallers?.configured, [signup])
  t.strictSame(policy.audiences.configured, ['https://other'])
  t.equal(parseGuardPolicy('route', { reportOnly: false }, reported).reportOnly, false)
  t.end()
})

t.test('the methods of the verifier never let a refused request in', (t) => {
  t.equal(parsePolicy('policy', {}, reported).reportOnly, false)
  t.throws(() => parsePolicy('policy', { reportOnly: true }, reported), {
    message:
      'Option policy.reportOnly is true; accepted: only the names allowedCallers, audience, optional',
  })
  t.throws(() => parsePolicy('policy', { allowedCallers: [] }, reported), /non-empty list/)
  t.end()
})

t.test('an error names the member', (t) => {
  for (const [member, value] of [
    ['optional', 1],
    ['reportOnly', 'yes'],
    ['allowedCallers', ['*']],
    ['audience', ''],
  ] as const) {
    t.throws(() => parseGuardPolicy('route', { [member]: value }, enforced), {
      message: new RegExp(`^Option route\\.${member}(?:\\[0\\])? is `),
    })
  }
  t.end()
})

t.test('only a guard that reports may have an empty list, which counts as missing', (t) => {
  t.equal(parseList('list', [], true), null)
  t.throws(() => parseList('list', [], false), /non-empty list/)
  for (const reportOnly of [true, false]) {
    t.strictSame(parseList('list', [login], reportOnly)?.configured, [login])
    t.throws(() => parseList('list', '', reportOnly), /non-empty list/)
    t.throws(() => parseList('list', {}, reportOnly), /non-empty list/)
  }
  t.end()
})

t.test('enforcing needs a list; reporting has nobody in a missing one', (t) => {
  t.equal(withList(enforced), enforced)
  t.equal(withList(reported), reported)
  t.strictSame(withList(reportedWithoutList), { ...reported, allowedCallers: NO_CALLERS })
  t.equal(withList(withoutList), undefined)
  t.equal(requireList('list', enforced), enforced)
  t.strictSame(requireList('list', reportedWithoutList), {
    ...reported,
    allowedCallers: NO_CALLERS,
  })
  t.throws(() => requireList('list', withoutList), {
    code: 'ID_TOKEN_OPTION_INVALID',
    message: /^Option list is missing; accepted: a list of callers/,
  })
  t.strictSame(NO_CALLERS.configured, [])
  t.strictSame(NO_CALLERS.summary, [])
  t.equal(NO_CALLERS.includes(login, '108612345678901234567'), false)
  t.end()
})
