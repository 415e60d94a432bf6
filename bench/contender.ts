export { AUDIENCE, ISSUER } from '../faults/contender.ts'

/** What the bench asks of a library: whether a token is good. */
export interface Contender {
  /** Makes a verifier whose keys come from this endpoint. */
  readonly create: (jwksUri: string) => Verifier | Promise<Verifier>
}

/** Judges tokens. */
export interface Verifier {
  /**
   * Throws or rejects where the token is refused.
   *
   * @param input - what `prepare` makes of a token; the token itself where there is none
   */
  readonly verify: (input: never) => unknown
  /** What is done to a token before anything is measured. */
  readonly prepare?: (token: string) => unknown
}

/** A library under its name, in the module of that file. */
export interface NamedContender {
  readonly file: string
  readonly name: string
  /** It keeps tokens that it has verified. */
  readonly cachesTokens?: true
  /** Its keys are Google's older form, PEM by key id. */
  readonly takesPem?: true
  /** It is no peer: it does less than any verifier must, and shows what the others could reach. */
  readonly isLimit?: true
  /** It judges nothing but signatures, and refuses no bad claim. */
  readonly isSignatureOnly?: true
  /** Packages to name with their versions. */
  readonly packages: readonly string[]
}

/** This library first. */
export const CONTENDERS: readonly NamedContender[] = [
  {
    file: 'this-library',
    name: 'this library',
    cachesTokens: true,
    packages: ['fastify-google-id-token'],
  },
  { file: 'jose', name: 'jose', packages: ['jose'] },
  {
    file: 'google-auth-library',
    name: 'google-auth-library',
    takesPem: true,
    packages: ['google-auth-library'],
  },
  { file: 'fast-jwt', name: 'fast-jwt + get-jwks', packages: ['fast-jwt', 'get-jwks'] },
  {
    file: 'fast-jwt-cache',
    name: 'fast-jwt + get-jwks, cache on',
    cachesTokens: true,
    packages: ['fast-jwt', 'get-jwks'],
  },
  { file: 'aws-jwt-verify', name: 'aws-jwt-verify', packages: ['aws-jwt-verify'] },
  {
    file: 'jsonwebtoken',
    name: 'jsonwebtoken + jwks-rsa',
    packages: ['jsonwebtoken', 'jwks-rsa'],
  },
  {
    file: 'crypto-verify',
    name: 'crypto.verify alone',
    isLimit: true,
    isSignatureOnly: true,
    packages: [],
  },
  {
    file: 'least-verifier',
    name: 'the least verifier, in one function',
    isLimit: true,
    packages: [],
  },
]
