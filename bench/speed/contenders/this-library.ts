import { createVerifier } from 'fastify-google-id-token'
import { AUDIENCE, type Contender } from '../contender.ts'

export const contender: Contender = {
  create: async (jwksUri) => {
    const { ready, verifyAnyCallerSync } = createVerifier({ audience: AUDIENCE, jwksUri })
    await ready()
    return { verify: verifyAnyCallerSync }
  },
}
