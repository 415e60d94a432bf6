import type { TokenHeader } from '../request/deciding-header.ts'
import { GOOGLE_ID_TOKEN } from './google-id-token.ts'
import { IAP_ASSERTION } from './iap-assertion.ts'

/** The headers that carry tokens of any kind. */
export const TOKEN_HEADERS: readonly TokenHeader[] = [GOOGLE_ID_TOKEN, IAP_ASSERTION].flatMap(
  ({ presentation }) => presentation.headers,
)
