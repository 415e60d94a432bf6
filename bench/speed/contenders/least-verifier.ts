import { verify } from 'node:crypto'
import { AUDIENCE, type Contender } from '../contender.ts'
import { fetchedKey } from '../fetched-key.ts'

/**
 * What no verifier can leave out, in one function: kid, signature, audience and expiry. It accepts
 * any spelling and any shape, and refuses with one error that has a code and no stack.
 */
export const contender: Contender = {
  create: async (jwksUri) => {
    const { kid, publicKey } = await fetchedKey(jwksUri)
    return {
      verify: (token: string) => {
        const first = token.indexOf('.')
        const second = token.indexOf('.', first + 1)
        if (second < 0) throw new Refused('shape')
        const header = segment(token.slice(0, first))
        const claims = segment(token.slice(first + 1, second))
        if (header.alg !== 'RS256' || header.kid !== kid) throw new Refused('key')
        const signingInput = Buffer.from(token.slice(0, second), 'latin1')
        const signature = Buffer.from(token.slice(second + 1), 'base64url')
        if (!verify('sha256', signingInput, publicKey, signature)) throw new Refused('signature')
        if (claims.aud !== AUDIENCE) throw new Refused('aud')
        if (!(Number(claims.exp) > Date.now() / 1000)) throw new Refused('exp')
        return claims
      },
    }
  },
}

function segment(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
}

class Refused extends Error {
  readonly code: string

  constructor(code: string) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super('refused')
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
  }
}
