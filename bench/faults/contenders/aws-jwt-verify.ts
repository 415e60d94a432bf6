import { Agent } from 'node:http'
import { JwtVerifier } from 'aws-jwt-verify'
import { SimpleFetcher } from 'aws-jwt-verify/https'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { AUDIENCE, ISSUER, JWK_SET, nothing, type Contender } from '../contender.ts'

export const awsJwtVerify: Contender = {
  name: 'aws-jwt-verify',
  packages: ['aws-jwt-verify'],
  setup: 'defaults; its keys never expire',
  keys: JWK_SET,
  create: (jwksUri) => {
    // It asks for https; with the agent its own code speaks http to the loopback.
    const agent = new Agent()
    const fetcher = new SimpleFetcher({ defaultRequestOptions: { agent } })
    const verifier = JwtVerifier.create(
      { issuer: ISSUER, audience: AUDIENCE, jwksUri },
      { jwksCache: new SimpleJwksCache({ fetcher }) },
    )
    return {
      verify: (token) => verifier.verify(token),
      expire: () => Promise.resolve(),
      rest: nothing,
      close: () => {
        agent.destroy()
      },
    }
  },
}
