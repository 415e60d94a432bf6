export { AUDIENCE, ISSUER } from '../faults/contender.ts'

/** What the bench asks of a library: whether a token is good. */
export interface Contender {
  /** Makes a verifier whose keys come from this endpoint. */
  readonly create: (jwksUri: string) => Verifier | Promise<Verifier>
}

/** Verifies tokens. */
export interface Verifier {
  /** Throws or rejects where the token is refused. */
  readonly verify: (token: string) => unknown
}

/** A library under its name, in the module of that file. */
export interface NamedContender {
  readonly file: string
  readonly name: string
  /** It keeps tokens that it has verified. */
  readonly cachesTokens?: true
  /** Its keys are Google's older form, PEM by key id. */
  readonly takesPem?: true
  /** It is no peer: it does less than any verifier must, and shows what others could reach. */
  readonly isFloor?: true
  /** It knows tokens again, and verifies none. */
  readonly isDigestOnly?: true
  /** Packages to name with their versions. */
  readonly packages: readonly string[]
}

/** The name of this library among contenders and servers. */
export const OURS = 'this library'
/** Kid, signature, audience and expiry, in one function. */
export const LEAST_VERIFIER = 'the least verifier'
/** What a cache that keeps no token pays for one that it knows. */
export const DIGEST = 'a SHA-256 digest alone'

/** This library first. */
export const CONTENDERS: readonly NamedContender[] = [
  {
    file: 'this-library',
    name: OURS,
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
  { file: 'fast-jwt-pem', name: 'fast-jwt, one fixed key', packages: ['fast-jwt'] },
  { file: 'least-verifier', name: LEAST_VERIFIER, isFloor: true, packages: [] },
  { file: 'digest', name: DIGEST, isFloor: true, isDigestOnly: true, packages: [] },
]
