import type { BenchResults } from './result.ts'
import type { BenchSetup } from './sections/bench-setup.ts'
import { measureGrowth, measureHttp } from './sections/http.ts'
import { measureMemory } from './sections/memory.ts'
import { measureStart } from './sections/start.ts'
import { measureBadTokens, measureVerify } from './sections/verify.ts'

/** What is measured, by its name in the results and on the command line. */
export const SECTIONS: {
  readonly [Section in SectionName]: (setup: BenchSetup) => Promise<BenchResults[Section]>
} = {
  verify: measureVerify,
  badTokens: measureBadTokens,
  http: measureHttp,
  growth: measureGrowth,
  memory: measureMemory,
  start: measureStart,
}

/** The results that are measured. */
export type SectionName = 'verify' | 'badTokens' | 'http' | 'growth' | 'memory' | 'start'
