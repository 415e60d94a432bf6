import { warnProcess, type Logger } from '../checks/injected.ts'
import { IdTokenError } from '../errors/id-token-error.ts'
import { onceAMinute } from '../pacing/once-a-minute.ts'
import type { AccessPolicy } from '../policy/access-policy.ts'
import type { Caller } from '../policy/caller.ts'
import type { RequestHeaders } from '../request/request-like.ts'
import type { VerifierCore } from '../verifier/create-verifier.ts'
import type { Outcome } from '../verifier/outcome.ts'
import { logRefusal } from './log-refusal.ts'
import { receiveOutcome, reportOutcome, type Receiver } from './receive-outcome.ts'

/** A request as its framework has it, and how the framework continues. */
export interface GuardedRequest extends Pick<Receiver, 'accept' | 'refuse' | 'next'> {
  readonly headers: RequestHeaders
  readonly method: string
  /** What a refusal names: the route, or the path; `undefined` if no route was found. */
  readonly target: string | undefined
  readonly log: Logger | undefined
}

/** What becomes of a guarded request, whatever the framework. */
export class RequestGuard {
  readonly #core: VerifierCore
  readonly #mayTellFailure: () => boolean

  constructor(core: VerifierCore) {
    this.#core = core
    // The option `clock` may be what failed.
    this.#mayTellFailure = onceAMinute(() => performance.now())
  }

  /** Verifies a request, reports the outcome, and refuses the request or lets it in. */
  handle(request: GuardedRequest, policy: AccessPolicy): void {
    const { accept, refuse, next } = request
    const enforced = !policy.reportOnly
    const report = (outcome: Outcome<Caller | null>): void => {
      this.#report(outcome, request, enforced)
    }
    if (enforced) {
      const outcome = this.#core.verifyRequest(request.headers, policy)
      receiveOutcome(outcome, { accept, refuse, report, next })
      return
    }
    const failed = (problem: unknown): void => {
      this.#failed(problem, request.log)
    }
    const verify = (): ReturnType<VerifierCore['verifyRequest']> =>
      this.#core.verifyRequest(request.headers, policy)
    reportOutcome(verify, { accept, report, next, failed })
  }

  #report(outcome: Outcome<Caller | null>, request: GuardedRequest, enforced: boolean): void {
    const { method, target: route, headers, log } = request
    if (!(outcome instanceof IdTokenError) || log === undefined) return
    const header = this.#core.decidingHeaderOf(headers)
    logRefusal(outcome, { method, route, header, enforced }, log)
  }

  /** The logger may be what failed. */
  #failed(problem: unknown, log: Logger | undefined): void {
    if (!this.#mayTellFailure()) return
    warnProcess(problem)
    try {
      log?.warn({ err: problem }, VERIFICATION_FAILED)
    } catch {
      // The process was told already.
    }
  }
}

const VERIFICATION_FAILED =
  'the verification of an ID token, or its report, failed; the request was let in, because reportOnly is on'
