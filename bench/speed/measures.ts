import { measureAll, measureAuditLog, measureKnown } from './measures/http.ts'
import type { Setup } from './measures/setup.ts'
import {
  measureFirstVerified,
  measureImport,
  measureMemory,
  measureRoutes,
} from './measures/start.ts'
import { measureVerify } from './measures/verify.ts'
import type { Measurement, Measurements } from './result.ts'
import { KINDS, type Kind } from './tokens.ts'

type Measure<Name extends Measurement> = (setup: Setup) => Promise<Measurements[Name]>
type Verifying = Readonly<Record<Kind, Measure<Kind>>>

/** What is measured, by its name in the results and on the command line. */
export const MEASURES: Verifying & {
  readonly [Name in Exclude<Measurement, Kind>]: Measure<Name>
} = {
  ...verifying(),
  'http known': measureKnown,
  'http audit log': measureAuditLog,
  'http all': measureAll,
  import: measureImport,
  'first verified': measureFirstVerified,
  routes: measureRoutes,
  memory: measureMemory,
}

function verifying(): Verifying {
  const kinds = Object.keys(KINDS) as Kind[]
  return Object.fromEntries(
    kinds.map((kind) => [kind, (setup: Setup) => measureVerify(setup, kind)]),
  ) as Verifying
}
