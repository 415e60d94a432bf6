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
    const accept = (caller: Caller | null): void => {
      observe(null, caller)
      settle(null, caller as never)
    }
    const refuse = (error: unknown): void => {
      observe(error, null)
      settle(error as Error, null)
    }
    let verdict
    try {
      verdict = judgement()
    } catch (error) {
      refuse(error)
      return
    }
    if (verdict instanceof Promise) verdict.then(accept, refuse)
    else accept(verdict)
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
