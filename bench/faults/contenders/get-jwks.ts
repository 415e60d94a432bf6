import { createVerifier, type DecodedJwt } from 'fast-jwt'
import buildGetJwks from 'get-jwks'
import {
  AUDIENCE,
  BY_MACHINE_TIME,
  ISSUER,
  JWK_SET,
  SHORT_LIFE,
  type Contender,
} from '../contender.ts'

/**
 * The two together, as the documentation of get-jwks has them.
 *
 * @param options - milliseconds for which keys are kept, and how many verified tokens are
 */
export function verifyWithFetchedKeys(
  uri: string,
  { ttl, cache }: { ttl?: number; cache?: number } = {},
): (token: string) => Promise<unknown> {
  const { origin, pathname } = new URL(uri)
  const keys = buildGetJwks({
    issuersWhitelist: [origin],
    jwksPath: pathname,
    ...(ttl !== undefined && { ttl }),
  })
  const verify = createVerifier({
    key: ({ header }: DecodedJwt) => {
      const { kid, alg } = header as { kid: string; alg: string }
      return keys.getPublicKey({ kid, alg, domain: origin })
    },
    algorithms: ['RS256'],
    allowedAud: AUDIENCE,
    allowedIss: ISSUER,
    ...(cache !== undefined && { cache }),
  })
  return async (token) => (await verify(token)) as unknown
}

export const getJwks: Contender = {
  name: 'get-jwks + fast-jwt',
  packages: ['get-jwks', 'fast-jwt'],
  setup: 'defaults; `ttl` of a second where keys have to expire',
  keys: JWK_SET,
  create: (uri, life) => ({
    verify: verifyWithFetchedKeys(uri, life === 'short' ? { ttl: SHORT_LIFE } : {}),
    ...BY_MACHINE_TIME,
  }),
}
