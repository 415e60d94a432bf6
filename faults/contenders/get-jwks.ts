import { createVerifier, type DecodedJwt } from 'fast-jwt'
import buildGetJwks from 'get-jwks'
import {
  AUDIENCE,
  ISSUER,
  JWK_SET,
  nothing,
  outliveShortLife,
  SHORT_LIFE,
  type Contender,
} from '../contender.ts'

export const getJwks: Contender = {
  name: 'get-jwks + fast-jwt',
  packages: ['get-jwks', 'fast-jwt'],
  setup: 'defaults; `ttl` of a second where keys have to expire',
  keys: JWK_SET,
  create: (uri, life) => {
    const { origin, pathname } = new URL(uri)
    const keys = buildGetJwks({
      issuersWhitelist: [origin],
      jwksPath: pathname,
      ...(life === 'short' && { ttl: SHORT_LIFE }),
    })
    const verify = createVerifier({
      key: ({ header }: DecodedJwt) => {
        const { kid, alg } = header as { kid: string; alg: string }
        return keys.getPublicKey({ kid, alg, domain: origin })
      },
      algorithms: ['RS256'],
      allowedAud: AUDIENCE,
      allowedIss: ISSUER,
    })
    return {
      verify: async (token) => (await verify(token)) as unknown,
      expire: outliveShortLife,
      rest: nothing,
      close: nothing,
    }
  },
}
