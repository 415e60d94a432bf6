import { googleAuthLibrary } from '../../faults/contenders/google-auth-library.ts'
import type { Contender } from '../contender.ts'

export const contender: Contender = {
  create: (jwksUri) => googleAuthLibrary.create(jwksUri, 'default'),
}
