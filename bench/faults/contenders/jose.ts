import {
  createRemoteJWKSet,
  jwksCache,
  jwtVerify,
  type ExportedJWKSCache,
  type JWKSCacheInput,
} from 'jose'
import {
  JWK_SET,
  nothing,
  outliveShortLife,
  RULES,
  SHORT_LIFE,
  type Contender,
} from '../contender.ts'

/** Keys that were fetched a while ago are handed over through its own cache option. */
export const jose: Contender = {
  name: 'jose',
  packages: ['jose'],
  setup: 'defaults; `cacheMaxAge` of a second where keys have to expire',
  keys: JWK_SET,
  create: (uri, life) => {
    const cache = {} as JWKSCacheInput
    const remote = (): ReturnType<typeof createRemoteJWKSet> =>
      createRemoteJWKSet(new URL(uri), {
        [jwksCache]: cache,
        ...(life === 'short' && { cacheMaxAge: SHORT_LIFE }),
      })
    let keys = remote()
    return {
      verify: (token) => jwtVerify(token, keys, RULES),
      expire: outliveShortLife,
      rest: () => {
        if (isFilled(cache)) cache.uat -= 31_000
        keys = remote()
      },
      close: nothing,
    }
  },
}

function isFilled(cache: JWKSCacheInput): cache is ExportedJWKSCache {
  return 'uat' in cache
}
