import { verifyWithJwksRsa } from '../../faults/contenders/jwks-rsa.ts'
import type { Contender } from '../contender.ts'

export const contender: Contender = {
  // Its defaults: with its rate limit on, thousands of unknown kids would wait for hours.
  create: (jwksUri) => ({ verify: verifyWithJwksRsa({ jwksUri }) }),
}
