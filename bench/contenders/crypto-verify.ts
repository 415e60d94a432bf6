import { verify } from 'node:crypto'
import type { Contender } from '../contender.ts'
import { fetchedKey, refuse, signedBytes, type SignedBytes } from '../signed-bytes.ts'

/** Nothing but the signature, of bytes and with a key at hand: no verifier does less. */
export const contender: Contender = {
  create: async (jwksUri) => {
    const key = await fetchedKey(jwksUri)
    return {
      prepare: signedBytes,
      verify: ({ signingInput, signature }: SignedBytes) => {
        if (!verify('sha256', signingInput, key, signature)) refuse()
      },
    }
  },
}
