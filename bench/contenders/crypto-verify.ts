import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import type { Contender } from '../contender.ts'

interface SignedBytes {
  readonly signingInput: Buffer
  readonly signature: Buffer
}

/** Nothing but the signature, of bytes and with a key at hand: no verifier does less. */
export const contender: Contender = {
  create: async (jwksUri) => {
    const { keys } = (await (await fetch(jwksUri)).json()) as { keys: [JsonWebKey] }
    const key = createPublicKey({ key: keys[0], format: 'jwk' })
    return {
      prepare: (token): SignedBytes => {
        const end = token.lastIndexOf('.')
        return {
          signingInput: Buffer.from(token.slice(0, end), 'latin1'),
          signature: Buffer.from(token.slice(end + 1), 'base64url'),
        }
      },
      verify: ({ signingInput, signature }: SignedBytes) => {
        if (!verify('sha256', signingInput, key, signature)) throw REFUSED
      },
    }
  },
}

const REFUSED = new Error('The signature does not match')
