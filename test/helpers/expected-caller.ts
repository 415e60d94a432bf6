/** Whom a service may let in: a reference of its own, on jose. */
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose'
import type { AllowedCaller } from '../../src/index.ts'
import { GOOGLE_ID_TOKEN } from '../../src/profiles/google-id-token.ts'
import { IAP_ASSERTION } from '../../src/profiles/iap-assertion.ts'
import { isStrictlySpelled } from './compare-with-jose.ts'
import { isNamedBy } from './expected-list.ts'
import { expectedToken, type Pair } from './expected-token.ts'

/** What decides about the callers of a route. */
export interface ExpectedService {
  /** Every key set that the service may have. */
  readonly jwks: readonly JSONWebKeySet[]
  readonly audiences: readonly string[]
  readonly issuers: readonly string[]
  /** Seconds. */
  readonly clockTolerance: number
  /** Seconds. */
  readonly maxTokenLifetime: number
  readonly twinHeader: string
  /** `null`: assertions are ignored. */
  readonly iap: { readonly audience: string; readonly jwks: JSONWebKeySet } | null
  readonly allowedCallers: readonly AllowedCaller[]
  readonly now: Date
}

/** Who calls. */
export interface ExpectedCaller {
  readonly email: string | undefined
  readonly subject: string
}

/** The caller of a request; `null` for every request that must be refused. */
export async function expectedCaller(
  headers: readonly Pair[],
  service: ExpectedService,
): Promise<ExpectedCaller | null> {
  const { iap, twinHeader } = service
  const assertion = iap && expectedToken(headers, IAP_ASSERTION.presentation, twinHeader)
  const presented = assertion ?? expectedToken(headers, GOOGLE_ID_TOKEN.presentation, twinHeader)
  if (presented === null || typeof presented === 'string' || presented.signatureRemoved) return null
  const { token } = presented
  const caller =
    assertion === null ? await idToken(token, service) : await iapCaller(token, service)
  return caller && isListed(caller, service.allowedCallers) ? caller : null
}

function isListed({ email, subject }: ExpectedCaller, list: readonly AllowedCaller[]): boolean {
  return list.some((entry) => isNamedBy(entry, email ?? '', subject))
}

async function idToken(token: string, service: ExpectedService): Promise<ExpectedCaller | null> {
  const { audiences, issuers, clockTolerance, maxTokenLifetime, now } = service
  for (const jwks of service.jwks) {
    const payload = await verified(token, {
      jwks,
      alg: 'RS256',
      // An origin with and without a slash is one audience.
      audiences: audiences.flatMap((audience) =>
        /^https?:\/\/[^/]+\/?$/.test(audience)
          ? [audience.replace(/\/$/, ''), audience.replace(/\/?$/, '/')]
          : [audience],
      ),
      issuers,
      clockTolerance,
      maxTokenLifetime,
      now,
    })
    if (payload === null) continue
    const { email, email_verified: isVerified } = payload
    return {
      email: isVerified === true ? (email as string | undefined) : undefined,
      subject: String(payload.sub),
    }
  }
  return null
}

const GOOGLE = 'accounts.google.com:'

/** https://cloud.google.com/iap/docs/signed-headers-howto */
async function iapCaller(
  token: string,
  { iap, now }: ExpectedService,
): Promise<ExpectedCaller | null> {
  if (iap === null) return null
  const payload = await verified(token, {
    jwks: iap.jwks,
    alg: 'ES256',
    audiences: [iap.audience],
    issuers: ['https://cloud.google.com/iap'],
    clockTolerance: 30,
    maxTokenLifetime: 660,
    now,
  })
  if (payload === null) return null
  const { sub = '', email } = payload
  return sub.startsWith(GOOGLE)
    ? { email: email as string | undefined, subject: sub.slice(GOOGLE.length) }
    : { email: undefined, subject: sub }
}

interface Rules extends Pick<
  ExpectedService,
  'audiences' | 'issuers' | 'clockTolerance' | 'maxTokenLifetime' | 'now'
> {
  readonly jwks: JSONWebKeySet
  readonly alg: 'RS256' | 'ES256'
}

async function verified(
  token: string,
  { jwks, alg, audiences, issuers, clockTolerance, maxTokenLifetime, now }: Rules,
): Promise<JWTPayload | null> {
  if (!isStrictlySpelled(token) || token.length > 8192) return null
  try {
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), {
      algorithms: [alg],
      audience: [...audiences],
      issuer: [...issuers],
      requiredClaims: ['sub', 'iat', 'exp'],
      clockTolerance,
      currentDate: now,
    })
    const { aud, sub, email = 'x', iat = NaN, exp = NaN } = payload
    const isGood =
      // If the set has one key, jose uses it for a token without a `kid` too.
      jwks.keys.some(({ kid }) => kid === protectedHeader.kid) &&
      !('crit' in protectedHeader) &&
      [aud, sub, email].every((claim) => typeof claim === 'string' && claim !== '') &&
      iat <= now.getTime() / 1000 + clockTolerance &&
      exp - iat <= maxTokenLifetime
    return isGood ? payload : null
  } catch {
    return null
  }
}
