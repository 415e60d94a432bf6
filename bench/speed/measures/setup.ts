import type { KeyEndpoints } from '../endpoints.ts'

/** What every measurement is given. */
export interface Setup {
  /** See `withTokenFile`. */
  readonly tokenFile: string
  readonly endpoints: KeyEndpoints
  /** Few rounds. */
  readonly isQuick: boolean
}

/** Where a contender or a server gets its keys. */
export function keysUri({ endpoints }: Setup, { takesPem }: { takesPem?: true }): string {
  return takesPem ? endpoints.pemUri : endpoints.jwksUri
}
