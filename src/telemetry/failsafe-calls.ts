import { warnProcess } from '../checks/injected.ts'
import { onceAMinute } from '../pacing/once-a-minute.ts'

/** Runs calls of something that the application has given. */
export type FailsafeCalls = (call: () => void) => void

/**
 * What is reported has happened already: a meter, a span or a logger that throws changes nothing,
 * and the process warns at most once a minute.
 *
 * @param steadyNow - milliseconds; must never stand still
 */
export function failsafeCalls(steadyNow: () => number = () => performance.now()): FailsafeCalls {
  const mayWarn = onceAMinute(steadyNow)
  return (call) => {
    try {
      call()
    } catch (problem) {
      if (mayWarn()) warnProcess(problem)
    }
  }
}
