import { createVerifier } from 'fast-jwt'
import { AUDIENCE, ISSUER, type Contender } from '../contender.ts'
import { fetchedKey } from '../fetched-key.ts'

/** A key that never changes: what no service that faces Google can have. */
export const contender: Contender = {
  create: async (jwksUri) => {
    const { publicKey } = await fetchedKey(jwksUri)
    const verify = createVerifier({
      key: publicKey.export({ type: 'spki', format: 'pem' }),
      algorithms: ['RS256'],
      allowedAud: AUDIENCE,
      allowedIss: ISSUER,
    })
    return { verify: (token) => verify(token) as unknown }
  },
}
