import jsonwebtoken, { type GetPublicKeyOrSecret } from 'jsonwebtoken'
import jwksClient, { type Options } from 'jwks-rsa'
import { BY_MACHINE_TIME, JWK_SET, RULES, SHORT_LIFE, type Contender } from '../contender.ts'

const DEFAULT_LIFE = 600_000

/** The two together, as the documentation of jwks-rsa has them. */
export function verifyWithJwksRsa(options: Options): (token: string) => Promise<unknown> {
  const client = jwksClient(options)
  const key: GetPublicKeyOrSecret = ({ kid }, callback) => {
    client.getSigningKey(kid).then((found) => {
      callback(null, found.getPublicKey())
    }, callback)
  }
  return (token) =>
    new Promise((resolve, reject) => {
      jsonwebtoken.verify(token, key, RULES, (error, payload) => {
        if (error === null) resolve(payload)
        else reject(error)
      })
    })
}

export const jwksRsa: Contender = {
  name: 'jwks-rsa + jsonwebtoken',
  packages: ['jwks-rsa', 'jsonwebtoken'],
  setup:
    '`rateLimit` on, and `cacheMaxAgeFallback` of six lifetimes, as in its documentation; `cacheMaxAge` of a second where keys have to expire',
  keys: JWK_SET,
  create: (jwksUri, life) => {
    const cacheMaxAge = life === 'short' ? SHORT_LIFE : DEFAULT_LIFE
    return {
      verify: verifyWithJwksRsa({
        jwksUri,
        rateLimit: true,
        cacheMaxAge,
        cacheMaxAgeFallback: 6 * cacheMaxAge,
      }),
      ...BY_MACHINE_TIME,
    }
  },
}
