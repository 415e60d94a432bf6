import type { KeyEndpoints } from '../endpoints.ts'

/** What every section is given. */
export interface BenchSetup {
  /** See `withTokenFile`. */
  readonly tokenFile: string
  readonly endpoints: KeyEndpoints
  /** Tells what is being done. */
  readonly tell: (step: string) => void
}

/** Where a contender or a server gets its keys. */
export function keysUri({ endpoints }: BenchSetup, { takesPem }: { takesPem?: true }): string {
  return takesPem ? endpoints.pemUri : endpoints.jwksUri
}
