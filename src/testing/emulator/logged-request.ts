import type { EndpointName } from './endpoints.ts'

/** One request, as the log keeps it: no query, no header, no body. */
export interface LoggedRequest {
  /** By the emulator's clock. */
  readonly time: Date
  /** In upper case. */
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `undefined` where nothing is at that path. */
  readonly endpoint: EndpointName | undefined
  /** Of the ID token that was asked for; `undefined` where none was. */
  readonly audience: string | undefined
  /** `undefined` as long as there is no answer, and where there never is one. */
  readonly status: number | undefined
}
