import { LRUCache } from 'lru-cache'
import type { Credentials } from './parse-credentials.ts'
import { openIdTokenSource } from './id-token-source.ts'
import type { ServiceAccount } from './impersonate.ts'
import { SharedIdToken } from './shared-id-token.ts'

/** What identifies a shared ID token: whose token it is, and for which audience. */
export interface TokenOwner {
  readonly credentials: Credentials
  readonly serviceAccount: ServiceAccount | undefined
  readonly audience: string
}

/** Beyond this number, an old client keeps its token but no longer shares it with new clients. */
const MOST_SHARED = 1_000

const shared = new WeakMap<Credentials, LRUCache<string, SharedIdToken>>()

/** The shared token of this process for these credentials and this audience. */
export function sharedIdToken({
  credentials,
  serviceAccount,
  audience,
}: TokenOwner): SharedIdToken {
  const tokens = shared.get(credentials) ?? new LRUCache({ max: MOST_SHARED })
  shared.set(credentials, tokens)
  const key = JSON.stringify([audience, serviceAccount?.email, serviceAccount?.endpoint])
  const token =
    tokens.get(key) ??
    new SharedIdToken(audience, () => openIdTokenSource(credentials, serviceAccount))
  tokens.set(key, token)
  return token
}
