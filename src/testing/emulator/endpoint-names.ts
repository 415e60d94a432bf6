import { invalidOption } from '../../checks/invalid-option.ts'

/** The endpoints, as faults and the request log name them. */
export type EndpointName =
  | 'certs'
  | 'iapCerts'
  | 'discovery'
  | 'token'
  | 'tokeninfo'
  | 'sts'
  | 'subjectToken'
  | 'generateAccessToken'
  | 'generateIdToken'
  | 'project'
  | 'identity'
  | 'metadata'

/** The target of a fault: an endpoint, or exactly one path. */
export type FaultyEndpoint = EndpointName | `/${string}`

/** The first match counts. The paths are Google's. */
const PATHS: readonly (readonly [EndpointName, RegExp])[] = [
  ['certs', /^\/oauth2\/v[13]\/certs$/],
  ['iapCerts', /^\/iap\/verify\/public_key(?:-jwk)?$/],
  ['discovery', /^\/\.well-known\/openid-configuration$/],
  ['token', /^(?:\/oauth2\/v4)?\/token$/],
  ['tokeninfo', /^\/tokeninfo$/],
  ['sts', /^\/v1\/token$/],
  ['subjectToken', /^\/subject-token\//],
  ['generateAccessToken', /^\/v1\/projects\/.*:generateAccessToken$/],
  ['generateIdToken', /^\/v1\/projects\/.*:generateIdToken$/],
  ['project', /^\/v1\/projects\/[^/]+$/],
  ['identity', /^\/computeMetadata\/v1\/.*\/identity$/],
  ['metadata', /^\/(?:computeMetadata(?:\/.*)?)?$/],
]

/** The names, in the order of the paths. */
export const ENDPOINT_NAMES: readonly EndpointName[] = PATHS.map(([name]) => name)

/** The endpoint at this path; `undefined` if there is none. */
export function endpointAt(path: string): EndpointName | undefined {
  return PATHS.find(([, pattern]) => pattern.test(path))?.[0]
}

/**
 * Whether a fault on this endpoint applies to a request. A fault on `metadata` applies to
 * `identity` too.
 */
export function appliesTo(faulty: FaultyEndpoint, path: string): boolean {
  const endpoint = endpointAt(path)
  return (
    faulty === path || faulty === endpoint || (faulty === 'metadata' && endpoint === 'identity')
  )
}

/** @throws TypeError naming the endpoints there are */
export function parseEndpoint(value: unknown): FaultyEndpoint {
  if (
    typeof value === 'string' &&
    (value.startsWith('/') || ENDPOINT_NAMES.includes(value as EndpointName))
  ) {
    return value as FaultyEndpoint
  }
  throw invalidOption('endpoint', value, `a path, or one of ${ENDPOINT_NAMES.join(', ')}`)
}
