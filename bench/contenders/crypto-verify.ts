import { verify } from 'node:crypto'
import type { Contender } from '../contender.ts'
import { fetchedKey, signedBytes, type SignedBytes } from '../signed-bytes.ts'

/** Nothing but the signature, of bytes and with a key at hand: no verifier does less. */
export const contender: Contender = {
  create: async (jwksUri) => {
    const { publicKey } = await fetchedKey(jwksUri)
    return {
      prepare: signedBytes,
      verify: ({ signingInput, signature }: SignedBytes) => {
        if (!verify('sha256', signingInput, publicKey, signature)) throw REFUSED
      },
    }
  },
}

/** One for all: the price of a new error is none of the signature's. */
const REFUSED = new Error('The signature does not match')
