import { readFileSync } from 'node:fs'

/** What some operations cost, in microseconds all together. */
export interface Cost {
  readonly operations: number
  readonly wall: number
  /** CPU of the thread that runs JavaScript. */
  readonly mainThread: number
  /** CPU of the process, its garbage collector and thread pool with it. */
  readonly process: number
}

/** Adds up the costs of the work that is given to `measure`. */
export class CostMeter {
  #operations = 0
  #wall = 0
  #mainThread = 0
  #process = 0

  /** @param work - returns how many operations it did */
  async measure(work: () => number | Promise<number>): Promise<void> {
    const before = cpuMicros()
    const start = performance.now()
    const done = work()
    // Work that is done at once is not made to wait for a turn of the event loop.
    const operations = typeof done === 'number' ? done : await done
    this.#wall += (performance.now() - start) * 1000
    const after = cpuMicros()
    this.#mainThread += after.mainThread - before.mainThread
    this.#process += after.process - before.process
    this.#operations += operations
  }

  get total(): Cost {
    return {
      operations: this.#operations,
      wall: this.#wall,
      mainThread: this.#mainThread,
      process: this.#process,
    }
  }
}

/** CPU microseconds so far. */
function cpuMicros(): { process: number; mainThread: number } {
  // Asking for the process brings the kernel's account of the thread up to date.
  const { user, system } = process.cpuUsage()
  return { process: user + system, mainThread: threadMicros() }
}

/** Node tells from version 24 on, and Linux anyway. */
function threadMicros(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  if (threadCpuUsage !== undefined) {
    const { user, system } = threadCpuUsage.call(process)
    return user + system
  }
  // https://docs.kernel.org/scheduler/sched-stats.html: the first number is nanoseconds on a CPU.
  const nanoseconds = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1).join()
  return Number(nanoseconds) / 1000
}
