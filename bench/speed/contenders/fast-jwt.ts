import { verifyWithFetchedKeys } from '../../faults/contenders/get-jwks.ts'
import type { Contender } from '../contender.ts'

export const contender: Contender = {
  create: (jwksUri) => ({ verify: verifyWithFetchedKeys(jwksUri) }),
}
