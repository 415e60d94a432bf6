import { verifyWithFetchedKeys } from '../../faults/contenders/get-jwks.ts'
import type { Contender } from '../contender.ts'

export const contender: Contender = {
  // As many as this library keeps; the default is 1,000.
  create: (jwksUri) => ({ verify: verifyWithFetchedKeys(jwksUri, { cache: 10_000 }) }),
}
