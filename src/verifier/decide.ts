import type { Caller } from '../caller/caller.ts'
import type { ObserveVerdict } from '../telemetry/observe-verdicts.ts'

/** Takes a decision: an error, or a caller (`null` where an optional route got no token). */
export type Settle<Decided extends Caller | null> = (
  ...decision: [error: Error, caller: null] | [error: null, caller: Decided]
) => void

/**
 * Makes a judgement and hands the decision over, at once where the judgement is made at once: a
 * request that needs no fetch is decided without a promise.
 */
export type Decide = <Decided extends Caller | null>(
  judgement: () => Decided | Promise<Decided>,
  settle: Settle<Decided>,
) => void

/** Every decision that may have to wait goes through here, and is observed here. */
export function createDecide(observe: ObserveVerdict): Decide {
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
        (caller) => {
          accept(caller, settle)
        },
        (error: unknown) => {
          refuse(error, settle)
        },
      )
    } else {
      accept(verdict, settle)
    }
  }

  function accept<Decided extends Caller | null>(caller: Decided, settle: Settle<Decided>): void {
    observe(null, caller)
    settle(null, caller)
  }

  function refuse(error: unknown, settle: Settle<never>): void {
    observe(error, null)
    settle(error as Error, null)
  }
}

/** The same for those who wait with `await`. */
export function decided<Decided extends Caller | null>(
  decide: Decide,
  judgement: () => Decided | Promise<Decided>,
): Promise<Decided> {
  return new Promise((resolve, reject) => {
    decide<Decided>(judgement, (error, caller) => {
      if (error === null) resolve(caller)
      else reject(error)
    })
  })
}
