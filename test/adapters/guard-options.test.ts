/** The options that guards have besides those of the verifier, and what becomes of them. */
import t from 'tap'
import { createGuardParts } from '../../src/adapters/guard-options.ts'
import { RequestGuard, type GuardedRequest } from '../../src/adapters/request-guard.ts'
import { refusal } from '../../src/errors/id-token-error.ts'
import type { Caller } from '../../src/policy/caller.ts'
import { AuditLog } from '../../src/telemetry/audit-log.ts'
import type { VerifierCore } from '../../src/verifier/create-verifier.ts'
import { warnings } from '../helpers/captured-log.ts'
import { issuer } from '../helpers/issuer.ts'
import { outcomeOf } from '../helpers/option-outcome.ts'
import { audience, login } from '../helpers/shop.ts'

const nothing = () => undefined
const required = { audience, jwks: issuer.jwks }
const logger = { warn: nothing, info: nothing }
const trace = { getActiveSpan: nothing }
const parse = (options: object, adapter = {}) => {
  const parts = createGuardParts({ ...required, ...options }, adapter)
  t.teardown(() => parts.reports.auditLog?.close())
  return parts
}
const messageFor = (options: object, adapter = {}) => outcomeOf(() => parse(options, adapter))

t.test('the defaults', (t) => {
  const { defaults, reports } = parse({})
  t.match(defaults, { optional: false, reportOnly: false, allowedCallers: null })
  t.ok(reports.refusalLimit)
  t.strictSame([reports.auditLog, reports.markSpan], [null, null])
  t.end()
})

t.test('what is given', (t) => {
  for (const reportOnly of [true, false])
    t.equal(parse({ reportOnly }).defaults.reportOnly, reportOnly)
  t.equal(parse({ refusalLog: 'all' }).reports.refusalLimit, null)
  t.ok(parse({ refusalLog: 'limited' }).reports.refusalLimit)
  t.type(parse({ tracing: { trace } }).reports.markSpan, 'function')
  for (const auditLog of [true, {}, { intervalSeconds: 1 }, { intervalSeconds: 86_400 }]) {
    t.type(parse({ auditLog, logger }).reports.auditLog, AuditLog)
    t.type(parse({ auditLog }, { logger }).reports.auditLog, AuditLog, 'with the logger of the app')
  }
  t.equal(parse({ auditLog: false }).reports.auditLog, null)
  const other = { warn: nothing }
  t.equal(parse({ logger: other }, { logger }).core.settings.logger, other)
  t.equal(parse({}, { logger }).core.settings.logger, logger)
  t.doesNotThrow(() => parse({ prefetch: true }, { names: ['prefetch'] }))
  const { allowedCallers } = parse({ allowedCallers: [login] }).defaults
  t.strictSame(allowedCallers?.configured, [login])
  t.equal(parse({ allowedCallers: [], reportOnly: true }).defaults.allowedCallers, null)
  t.end()
})

t.test('spans name callers only if the option says so', (t) => {
  for (const [more, named] of [
    [{}, false],
    [{ caller: false }, false],
    [{ caller: true }, true],
  ] as const) {
    const marks: object[] = []
    const span = { setAttributes: (attributes: object) => marks.push(attributes) }
    const { markSpan } = parse({
      tracing: { trace: { getActiveSpan: () => span }, ...more },
    }).reports
    const account = { email: login, subject: '1' }
    markSpan?.({ outcome: 'accepted', refusal: undefined, enforced: true, caller: account })
    t.match(marks, [{ 'google_id_token.outcome': 'accepted' }])
    t.equal('google_id_token.caller.email' in (marks[0] ?? {}), named)
  }
  t.end()
})

t.test('an error names the option', (t) => {
  for (const [options, message] of [
    [{ reportOnly: 1 }, /^Option reportOnly is 1; accepted: true or false$/],
    [{ refusalLog: true }, /^Option refusalLog is true; accepted: 'limited' or 'all'$/],
    [{ auditLog: 1 }, /^Option auditLog is 1; accepted: true, false, or an object with interval/],
    [{ auditLog: { x: 1 } }, /^Option auditLog\.x is 1; accepted: only the names intervalSeconds$/],
    [
      { auditLog: { intervalSeconds: 0 }, logger },
      /^Option auditLog\.intervalSeconds is 0; accepted: a number of seconds from 1 to 86400$/,
    ],
    [{ auditLog: { intervalSeconds: 86_401 }, logger }, /^Option auditLog\.intervalSeconds is 8/],
    [{ auditLog: true }, /^Option logger is missing; accepted: with auditLog, a logger with info/],
    [{ auditLog: true, logger: { warn: nothing } }, /^Option logger is .*; accepted: with auditLo/],
    [{ tracing: { x: 1 } }, /^Option tracing\.x is 1; accepted: only the names trace, caller$/],
    [{ tracing: {} }, /^Option tracing\.trace is missing; accepted: the trace of @opentelemetry/],
    [{ tracing: { trace: {} } }, /^Option tracing\.trace is {}; accepted: the trace of @opentele/],
    [{ tracing: { trace, caller: 1 } }, /^Option tracing\.caller is 1; accepted: true or false$/],
    [{ allowedCallers: [] }, /^Option allowedCallers is \[\]; accepted: a non-empty list/],
    [{ allowedCallers: '', reportOnly: true }, /^Option allowedCallers is ''; /],
    [{ prefetch: true }, /^Option prefetch is true; accepted: only the names /],
  ] as const) {
    t.match(messageFor(options), message)
  }
  t.end()
})

const caller = {
  email: login,
  subject: '1',
  header: 'authorization',
  signatureVerified: true,
} as Caller
const error = refusal('ID_TOKEN_CALLER_NOT_ALLOWED', {
  account: { email: login, subject: '1' },
})

/** A request that is guarded, with a verification that ends like this. */
function handled(
  outcome: Caller | typeof error | null,
  { enforced = true, mayLog = true, info = true } = {},
) {
  const spans: unknown[] = []
  const records: unknown[][] = []
  const { lines, logger } = warnings()
  const { defaults } = parse({ allowedCallers: [login] })
  const verified: unknown[] = []
  const core = {
    verifyRequest: (...given: unknown[]) => {
      verified.push(given)
      return outcome
    },
    decidingHeaderOf: () => 'x-serverless-authorization',
  } as unknown as VerifierCore
  const admitted: unknown[][] = []
  const closed: string[] = []
  const guard = new RequestGuard(core, {
    markSpan: (span) => spans.push(span),
    auditLog: {
      record: (...given: unknown[]) => records.push(given),
      close: () => closed.push('auditLog'),
    } as unknown as AuditLog,
    refusalLimit: {
      mayLog: (...given: unknown[]) => {
        admitted.push(given)
        return mayLog
      },
      close: () => closed.push('refusalLimit'),
    } as never,
  })
  const calls: unknown[][] = []
  const log = info ? { ...logger, info: nothing } : logger
  const request: GuardedRequest = {
    raw: { headers: {} },
    method: 'GET',
    route: '/a/:id',
    whenRouted: (run) => {
      run()
    },
    target: '/a/7',
    log,
    appLog: logger,
    accept: (one) => calls.push(['accept', one]),
    refuse: (one) => calls.push(['refuse', one]),
    next: (...given) => calls.push(['next', ...given]),
  }
  const policy = { ...defaults, reportOnly: !enforced }
  guard.handle(request, policy)
  guard.close()
  t.strictSame(verified, [[request.raw, policy, '/a/:id']])
  t.strictSame(closed, ['auditLog', 'refusalLimit'])
  return { spans, records, lines, admitted, calls, log, logger }
}

t.test('what is recorded of an accepted request', (t) => {
  const { spans, records, lines, calls, log } = handled(caller)
  t.strictSame(calls, [['accept', caller], ['next']])
  t.strictSame(spans, [{ outcome: 'accepted', refusal: undefined, enforced: true, caller }])
  const record = { method: 'GET', route: '/a/:id', outcome: 'accepted', enforced: true }
  t.strictSame(records, [[{ ...record, caller, header: 'authorization' }, log]])
  t.strictSame(lines, [])
  const unsigned = { ...caller, signatureVerified: false }
  t.match(handled(unsigned).spans, [{ outcome: 'accepted', caller: null }])
  t.equal(handled(caller, { info: false }).records[0]?.[1], undefined, 'a log without info')
  const anonymous = handled(null)
  t.strictSame(anonymous.calls, [['accept', null], ['next']])
  t.strictSame(anonymous.spans, [
    { outcome: 'anonymous', refusal: undefined, enforced: true, caller: null },
  ])
  t.match(anonymous.records[0], [{ outcome: 'anonymous', caller: null, header: null }])
  t.end()
})

t.test('what is recorded of a refused request', (t) => {
  const { code, detail, message } = error
  const account = { email: login, subject: '1' }
  for (const enforced of [true, false]) {
    const { spans, records, lines, admitted, calls, logger } = handled(error, { enforced })
    t.strictSame(
      calls,
      enforced
        ? [
            ['refuse', error],
            ['next', error],
          ]
        : [['accept', null], ['next']],
    )
    t.strictSame(spans, [{ outcome: 'refused', refusal: code, enforced, caller: account }])
    t.match(records[0], [
      { outcome: code, enforced, caller: account, header: 'x-serverless-authorization' },
    ])
    t.strictSame(admitted, [[{ code, route: '/a/:id', enforced }, logger]])
    const header = 'x-serverless-authorization'
    t.strictSame(lines, [
      {
        finding: { code, detail, method: 'GET', route: '/a/7', header, enforced },
        message: `ID token ${enforced ? '' : 'would be '}refused: ${message}`,
      },
    ])
    t.strictSame(handled(error, { enforced, mayLog: false }).lines, [])
  }
  t.end()
})

t.test('a guard may report nothing', (t) => {
  const core = { verifyRequest: () => error, decidingHeaderOf: () => null }
  const guard = new RequestGuard(core as unknown as VerifierCore, {
    auditLog: null,
    refusalLimit: null,
    markSpan: null,
  })
  const { lines, logger } = warnings()
  const request: GuardedRequest = {
    raw: { headers: {} },
    method: 'GET',
    route: undefined,
    whenRouted: nothing,
    target: undefined,
    log: logger,
    appLog: logger,
    accept: nothing,
    refuse: nothing,
    next: nothing,
  }
  for (let n = 0; n < 20; n += 1) guard.handle(request, parse({ allowedCallers: [login] }).defaults)
  guard.close()
  t.equal(lines.length, 20, 'and each refusal is logged')
  t.end()
})
