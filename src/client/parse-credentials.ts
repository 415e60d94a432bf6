import { invalidSecretOption } from '../checks/invalid-option.ts'

/**
 * The credentials that get tokens: a `GoogleAuth`, or any client of google-auth-library.
 *
 * The types are structural, so that any version of the library fits, also from a second installed
 * copy.
 */
export type Credentials = CredentialsFinder | IdTokenProvider | AccessTokenClient

/** A `GoogleAuth`: finds out which client to use. */
export interface CredentialsFinder {
  /** Resolves to the client. */
  getClient: () => Promise<object>
}

/** A client that gets ID tokens: `Compute`, `JWT`, `Impersonated`, `UserRefreshClient`. */
export interface IdTokenProvider {
  /** Resolves to an ID token for an audience. */
  fetchIdToken: (audience: string, options?: { includeEmail: boolean }) => Promise<string>
}

/** Any other client, such as that of workload identity federation. */
export interface AccessTokenClient {
  /** Resolves to an access token, in `token`. */
  getAccessToken: () => Promise<object>
  /** Makes a request with the access token: the one that asks Google for an ID token. */
  request: (options: never) => unknown
}

/**
 * Checks the option `auth`.
 *
 * @throws TypeError that does not print the value: it may be a key
 */
export function parseCredentials(value: unknown): Credentials {
  if (hasMethod(value, 'getClient') || isIdTokenProvider(value) || isAccessTokenClient(value)) {
    return value as Credentials
  }
  throw invalidSecretOption(
    'auth',
    'is no such object (it is not printed: it may hold a key)',
    'a GoogleAuth or a client of google-auth-library; for the content of a key file, new GoogleAuth({ credentials })',
  )
}

/** Whether it gets ID tokens by itself. */
export function isIdTokenProvider(value: unknown): value is IdTokenProvider {
  return hasMethod(value, 'fetchIdToken')
}

/** Whether it can send requests to Google with its own identity. */
export function isAccessTokenClient(value: unknown): value is AccessTokenClient {
  return hasMethod(value, 'getAccessToken') && hasMethod(value, 'request')
}

/** Whether it has a method of this name. */
export function hasMethod<Name extends string>(
  value: unknown,
  name: Name,
): value is Record<Name, (...args: never[]) => unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  )
}
