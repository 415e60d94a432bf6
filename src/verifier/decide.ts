import type { Caller } from '../policy/caller.ts'
import type { ObserveVerdict } from '../telemetry/observe-outcomes.ts'
import { IdTokenError, nameRealm } from '../errors/id-token-error.ts'

/**
 * What a judgement comes to. A refusal is a value: thrown, it would cost more than all that comes
 * before the signature, and forged tokens would be dearer than good ones.
 */
export type Verdict<Accepted extends Caller | null = Caller> = Accepted | IdTokenError

/** A judgement: at once, or through a promise where keys must be fetched first. It may throw. */
export type Judgement<Accepted extends Caller | null> = () =>
  Verdict<Accepted> | Promise<Verdict<Accepted>>

/** Takes a decision: an error, or a caller (`null` where an optional route got no token). */
export type Settle<Accepted extends Caller | null> = (
  ...decision: [error: Error, caller: null] | [error: null, caller: Accepted]
) => void

/**
 * Makes a judgement and hands the decision over, at once where the judgement is made at once: a
 * request that needs no fetch is decided without a promise.
 */
export type Decide = <Accepted extends Caller | null>(
  judgement: Judgement<Accepted>,
  settle: Settle<Accepted>,
) => void

/**
 * Every decision goes through here, and is observed here.
 *
 * @param realm - of the challenges of refusals
 */
export function createDecide(observe: ObserveVerdict, realm: string): Decide {
  return (judgement, settle) => {
    let verdict
    try {
      verdict = judgement()
    } catch (error) {
      refuse(error, settle)
      return
    }
    if (verdict instanceof Promise) {
      verdict.then(
        (late) => {
          handOver(late, settle)
        },
        (error: unknown) => {
          refuse(error, settle)
        },
      )
    } else {
      handOver(verdict, settle)
    }
  }

  function handOver<Accepted extends Caller | null>(
    verdict: Verdict<Accepted>,
    settle: Settle<Accepted>,
  ): void {
    if (verdict instanceof IdTokenError) {
      refuse(verdict, settle)
    } else {
      observe(null, verdict)
      settle(null, verdict)
    }
  }

  function refuse(error: unknown, settle: Settle<never>): void {
    if (error instanceof IdTokenError) nameRealm(error, realm)
    observe(error, null)
    settle(error as Error, null)
  }
}

/** The same for those who wait with `await`. */
export function decided<Accepted extends Caller | null>(
  decide: Decide,
  judgement: Judgement<Accepted>,
): Promise<Accepted> {
  return new Promise((resolve, reject) => {
    decide<Accepted>(judgement, (error, caller) => {
      if (error === null) resolve(caller)
      else reject(error)
    })
  })
}

/** The same for those who cannot wait, about a judgement that needs no fetch. */
export function decidedSync(decide: Decide, judgement: () => Verdict): Caller {
  const verdict = settledSync(decide, judgement)
  if (verdict instanceof Error) throw verdict
  return verdict
}

/**
 * What is thrown passes through no function but the last: V8 never optimizes one that only ever
 * throws, as all would while nothing but forged tokens comes.
 */
function settledSync(decide: Decide, judgement: () => Verdict): Caller | Error {
  let verdict: Caller | Error | undefined
  decide<Caller>(judgement, (...[error, caller]) => {
    verdict = error ?? caller
  })
  return verdict as Caller | Error
}
