import { JwtVerifier } from 'aws-jwt-verify'
import { AUDIENCE, ISSUER, type Contender } from '../contender.ts'

export const contender: Contender = {
  create: async (jwksUri) => {
    const rules = { issuer: ISSUER, audience: AUDIENCE, jwksUri }
    const verifier = JwtVerifier.create(rules)
    // It fetches over https only; what it does with current keys is what is measured.
    verifier.cacheJwks((await (await fetch(jwksUri)).json()) as { keys: [] })
    return { verify: (token: string) => verifier.verifySync(token) }
  },
}
