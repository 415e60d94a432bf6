import { verify } from 'node:crypto'
import type { Contender } from '../contender.ts'
import { fetchedKey, refuse, signedBytes } from '../signed-bytes.ts'

/** The signature and the claims of a token, with a key at hand and nothing judged. */
export const contender: Contender = {
  create: async (jwksUri) => {
    const key = await fetchedKey(jwksUri)
    return {
      verify: (token: string) => {
        const payload = token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'))
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
        const { signingInput, signature } = signedBytes(token)
        if (!verify('sha256', signingInput, key, signature)) refuse()
        return claims
      },
    }
  },
}
