import { OURS } from './contender.ts'

/** A server with guarded routes, each of which answers with the same small object. */
export interface BenchServer {
  readonly start: (jwksUri: string) => Promise<Listening>
}

/** A server that listens, on a port that was free. */
export interface Listening {
  readonly port: number
  readonly close: () => Promise<void>
}

/** A server under its name, in the module of that file. */
export interface NamedServer {
  readonly file: string
  readonly name: string
  /** What it is measured against. */
  readonly framework: 'Fastify' | 'Express'
  /** It is no peer: it guards nothing, or less than any guard must, and shows what others could reach. */
  readonly isFloor?: true
  readonly takesPem?: true
  readonly packages: readonly string[]
}

/** Takes the digest of the header, and guards nothing. */
export const DIGEST_HOOK = 'a hook that takes a SHA-256 digest'

/** This library with its audit log on. It is measured beside this library without it, and shown nowhere else. */
export const WITH_AUDIT_LOG: NamedServer = {
  file: 'fastify-audit-log',
  name: 'this library, audit log on',
  framework: 'Fastify',
  packages: ['fastify-google-id-token'],
}

/** Of each framework the bare one first, then this library. */
export const SERVERS: readonly NamedServer[] = [
  {
    file: 'fastify-bare',
    name: 'bare Fastify',
    framework: 'Fastify',
    isFloor: true,
    packages: ['fastify'],
  },
  {
    file: 'fastify-digest-hook',
    name: DIGEST_HOOK,
    framework: 'Fastify',
    isFloor: true,
    packages: [],
  },
  {
    file: 'fastify-this-library',
    name: OURS,
    framework: 'Fastify',
    packages: ['fastify-google-id-token'],
  },
  {
    file: 'fastify-jwt-jwks-cache',
    name: 'fastify-jwt-jwks, cache on',
    framework: 'Fastify',
    packages: ['fastify-jwt-jwks'],
  },
  {
    file: 'fastify-jwt-cache',
    name: '@fastify/jwt + get-jwks, cache on',
    framework: 'Fastify',
    packages: ['@fastify/jwt', 'get-jwks'],
  },
  {
    file: 'fastify-aws-jwt-verify',
    name: 'aws-jwt-verify in a hook',
    framework: 'Fastify',
    packages: ['aws-jwt-verify'],
  },
  { file: 'fastify-jose', name: 'jose in a hook', framework: 'Fastify', packages: ['jose'] },
  {
    file: 'fastify-google-auth-library',
    name: 'google-auth-library in a hook',
    framework: 'Fastify',
    takesPem: true,
    packages: ['google-auth-library'],
  },
  {
    file: 'express-bare',
    name: 'bare Express',
    framework: 'Express',
    isFloor: true,
    packages: ['express'],
  },
  {
    file: 'express-this-library',
    name: 'this library, Express',
    framework: 'Express',
    packages: ['fastify-google-id-token'],
  },
  {
    file: 'express-oauth2-jwt-bearer',
    name: 'express-oauth2-jwt-bearer',
    framework: 'Express',
    packages: ['express-oauth2-jwt-bearer'],
  },
]
