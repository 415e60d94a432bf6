import type { Contender } from './contender.ts'
import { awsJwtVerify } from './contenders/aws-jwt-verify.ts'
import { getJwks } from './contenders/get-jwks.ts'
import { googleAuthLibrary } from './contenders/google-auth-library.ts'
import { jose } from './contenders/jose.ts'
import { jwksRsa } from './contenders/jwks-rsa.ts'
import { thisLibrary } from './contenders/this-library.ts'

/** This library first. */
export const CONTENDERS: readonly Contender[] = [
  thisLibrary,
  jose,
  getJwks,
  jwksRsa,
  awsJwtVerify,
  googleAuthLibrary,
]
