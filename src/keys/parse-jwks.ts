import type { VerificationKey } from './key-set.ts'
import type { SignatureAlgorithm } from './signature-algorithms.ts'

/** A parsed JWK set. */
export interface ParsedJwks {
  readonly keys: ReadonlyMap<string, VerificationKey>
  /** Why other keys of the set are ignored; public information only. */
  readonly skipped: readonly string[]
}

type Jwk = Readonly<Record<string, unknown>>

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4: members that only a private or symmetric key has. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const LONGEST_KID_SHOWN = 64

/**
 * Parses a JWK set (RFC 7517 section 5) and imports its usable keys.
 *
 * @param previous - the current keys. A key that comes again stays the same object, so that the
 * tokens that were verified with it stay remembered. Those of a key that is gone are forgotten
 * @throws Error saying what is wrong with the document as a whole; it quotes no key material
 */
export function parseJwks(
  document: unknown,
  algorithm: SignatureAlgorithm,
  previous?: ReadonlyMap<string, VerificationKey>,
): ParsedJwks {
  const members = isObject(document) ? document.keys : undefined
  if (!Array.isArray(members)) throw new Error('not a JWK set: no "keys" list')
  const keys = new Map<string, VerificationKey>()
  const skipped: string[] = []
  for (const member of members as unknown[]) {
    if (!isObject(member)) throw new Error('not a JWK set: a key that is no object')
    // A published secret is no longer secret: no key of that set can be trusted.
    if (member.kty === 'oct' || SECRET_MEMBERS.some((name) => Object.hasOwn(member, name))) {
      throw new Error('the JWK set holds a private or symmetric key')
    }
    const key = usableKey(member, algorithm, previous)
    if (typeof key === 'string') {
      skipped.push(key)
    } else if (keys.has(key.kid)) {
      throw new Error('the JWK set holds two keys with the same kid')
    } else {
      keys.set(key.kid, key)
    }
  }
  if (keys.size === 0) {
    throw new Error(`the JWK set holds no usable key${skipped.map((why) => `; ${why}`).join('')}`)
  }
  return { keys, skipped }
}

/** Why a key is not for this algorithm, by its own members. */
function whyUnusable(jwk: Jwk, { kty, alg }: SignatureAlgorithm): string | null {
  if (jwk.kty !== kty) return `kty is not ${kty}`
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'use is not sig'
  if (jwk.alg !== undefined && jwk.alg !== alg) return `alg is not ${alg}`
  const { key_ops: operations } = jwk
  return Array.isArray(operations) && !operations.includes('verify')
    ? 'key_ops has no verify'
    : null
}

/** The key, or why it is not usable. */
function usableKey(
  jwk: Jwk,
  algorithm: SignatureAlgorithm,
  previous: ReadonlyMap<string, VerificationKey> | undefined,
): VerificationKey | string {
  const { kid } = jwk
  if (typeof kid !== 'string' || kid === '') return 'a key without kid'
  const name = `key ${kid.slice(0, LONGEST_KID_SHOWN)}`
  const unfit = whyUnusable(jwk, algorithm)
  if (unfit !== null) return `${name}: ${unfit}`
  const members = publicMembers(jwk, algorithm)
  if (members === null) return `${name}: no ${algorithm.members.join(' or ')}`
  const known = previous?.get(kid)
  if (known !== undefined && isSameKey(known, members)) return known
  const publicKey = algorithm.importKey(members)
  if (publicKey === null) return `${name}: not ${algorithm.requirement}`
  return { kid, publicKey, algorithm, members }
}

/** The members that hold the public key; `null` if one is missing. */
function publicMembers(
  jwk: Jwk,
  { members }: SignatureAlgorithm,
): Readonly<Record<string, string>> | null {
  const found = members.map((name) => [name, jwk[name]] as const)
  return found.every((member): member is readonly [string, string] => typeof member[1] === 'string')
    ? Object.fromEntries(found)
    : null
}

function isSameKey(known: VerificationKey, members: Readonly<Record<string, string>>): boolean {
  return known.algorithm.members.every((name) => known.members[name] === members[name])
}

function isObject(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
