import { warnProcess, type Logger } from '../checks/injected.ts'
import { IdTokenError, refusedAccount } from '../errors/id-token-error.ts'
import { onceAMinute } from '../pacing/once-a-minute.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import type { Account, Caller } from '../policy/caller.ts'
import type { RequestHeaders } from '../request/request-like.ts'
import type { AuditLog, InfoLogger } from '../telemetry/audit-log.ts'
import type { VerifierCore } from '../verifier/create-verifier.ts'
import type { Outcome } from '../verifier/outcome.ts'
import type { GuardReports } from './guard-options.ts'
import { logRefusal } from './log-refusal.ts'
import {
  receiveOutcome,
  reportOutcome,
  type Receiver,
  type Report,
  type Reporting,
} from './receive-outcome.ts'

/** A request as its framework has it, and how the framework continues. */
export interface GuardedRequest extends Receiver {
  /** As Node received it. */
  readonly raw: RequestHeaders
  readonly method: string
  /** The route as it was declared; `undefined` if it is not known (yet). */
  readonly route: string | undefined
  /** Calls back when the route is known, or will not be known. */
  whenRouted: (run: () => void) => void
  /** What a refusal names: the route, or the path; `undefined` if no route was found. */
  readonly target: string | undefined
  /** Of the request. */
  readonly log: Partial<InfoLogger> & Logger
  /** Of the application. */
  readonly appLog: Logger
}

/** What becomes of a guarded request, whatever the framework. */
export class RequestGuard {
  readonly #core: VerifierCore
  readonly #reports: GuardReports
  readonly #mayLogFailure: () => boolean
  readonly #reportEnforced: Report<GuardedRequest>
  readonly #reporting: Reporting<GuardedRequest>

  constructor(core: VerifierCore, reports: GuardReports) {
    this.#core = core
    this.#reports = reports
    // Made once: functions made for each request would cost as much as a check.
    this.#reportEnforced = (outcome, request) => {
      this.#report(outcome, request, true)
    }
    this.#reporting = {
      report: (outcome, request) => {
        this.#report(outcome, request, false)
      },
      failed: (problem, { log }) => {
        this.#failed(problem, log)
      },
    }
    // The option `clock` may be what failed.
    this.#mayLogFailure = onceAMinute(() => performance.now())
  }

  /** Verifies a request, reports the outcome, and refuses the request or lets it in. */
  handle(request: GuardedRequest, policy: AccessPolicy): void {
    if (policy.reportOnly) {
      reportOutcome(() => this.#verify(request, policy), request, this.#reporting)
    } else {
      receiveOutcome(this.#verify(request, policy), request, this.#reportEnforced)
    }
  }

  #verify(
    request: GuardedRequest,
    policy: AccessPolicy,
  ): ReturnType<VerifierCore['verifyRequest']> {
    return this.#core.verifyRequest(request.raw, policy, request.route)
  }

  /** Logs what was counted and not logged yet. */
  close(): void {
    this.#reports.auditLog?.close()
    this.#reports.refusalLimit?.close()
  }

  #report(outcome: Outcome<Caller | null>, request: GuardedRequest, enforced: boolean): void {
    const { auditLog, markSpan } = this.#reports
    if (markSpan !== null) {
      const refusal = outcome instanceof IdTokenError ? outcome.code : undefined
      const word = refusal === undefined ? outcomeName(outcome) : 'refused'
      markSpan({ outcome: word, refusal, enforced, caller: verifiedAccount(outcome) })
    }
    if (auditLog !== null) this.#audit(auditLog, outcome, request, enforced)
    if (outcome instanceof IdTokenError) this.#logRefusal(outcome, request, enforced)
  }

  #audit(
    auditLog: AuditLog,
    outcome: Outcome<Caller | null>,
    request: GuardedRequest,
    enforced: boolean,
  ): void {
    const { method, raw, log } = request
    const caller = verifiedAccount(outcome)
    const header = this.#headerOf(outcome, raw)
    const logger = typeof log.info === 'function' ? (log as InfoLogger) : undefined
    request.whenRouted(() => {
      const route = request.route ?? null
      // Written out: a spread costs more than all the rest of this function.
      const audited = { method, route, outcome: outcomeName(outcome), enforced, caller, header }
      auditLog.record(audited, logger)
    })
  }

  #headerOf(outcome: Outcome<Caller | null>, raw: RequestHeaders): string | null {
    return outcome instanceof IdTokenError
      ? this.#core.decidingHeaderOf(raw)
      : (outcome?.header ?? null)
  }

  #logRefusal(refusal: IdTokenError, request: GuardedRequest, enforced: boolean): void {
    const { refusalLimit } = this.#reports
    const { method, route, target, raw, log, appLog } = request
    const counted = { code: refusal.code, route, enforced }
    if (refusalLimit?.mayLog(counted, appLog) === false) return
    const header = this.#core.decidingHeaderOf(raw)
    logRefusal(refusal, { method, route: target, header, enforced }, log)
  }

  /** The logger may be what failed. */
  #failed(problem: unknown, log: Logger): void {
    if (!this.#mayLogFailure()) return
    warnProcess(problem)
    try {
      log.warn({ err: problem }, VERIFICATION_FAILED)
    } catch {
      // A process warning has said it already.
    }
  }
}

const VERIFICATION_FAILED =
  'the verification of an ID token, or its report, failed; the request was let in, because reportOnly is on'

/** `accepted`, `anonymous`, or the code of a refusal. */
function outcomeName(outcome: Outcome<Caller | null>): string {
  if (outcome instanceof IdTokenError) return outcome.code
  return outcome === null ? 'anonymous' : 'accepted'
}

/** Whose token it is; `null` unless the signature was verified. */
function verifiedAccount(outcome: Outcome<Caller | null>): Account | null {
  if (outcome instanceof IdTokenError) return refusedAccount(outcome)
  return outcome?.signatureVerified === true ? outcome : null
}
