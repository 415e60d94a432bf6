import type { EndpointName } from './endpoint-names.ts'

/** One request in the log: without query, headers and body. */
export interface LoggedRequest {
  /** By the emulator's clock. */
  readonly time: Date
  /** In upper case. */
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** `undefined` if nothing is at that path. */
  readonly endpoint: EndpointName | undefined
  /** The audience of the requested ID token; `undefined` if none was requested. */
  readonly audience: string | undefined
  /** `undefined` as long as there is no answer, and if there never is one. */
  readonly status: number | undefined
}
