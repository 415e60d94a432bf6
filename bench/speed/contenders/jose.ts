import { createRemoteJWKSet, jwtVerify } from 'jose'
import { AUDIENCE, ISSUER, type Contender } from '../contender.ts'

export const contender: Contender = {
  create: (jwksUri) => {
    const keys = createRemoteJWKSet(new URL(jwksUri))
    const rules = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['RS256'] }
    return { verify: (token: string) => jwtVerify(token, keys, rules) }
  },
}
