import type { ServiceName } from './start-services.ts'

export type HeaderName = 'X-Serverless-Authorization' | 'Authorization'

/**
 * What a header holds. `stripped` is the good token as Cloud Run passes it on: with
 * SIGNATURE_REMOVED_BY_GOOGLE where the signature was.
 */
export type TokenKind = 'good' | 'expired' | 'for search' | 'no email' | 'forged' | 'stripped'

/** One call, and how it should come out. */
export interface Call {
  /** A service account of the shop, or somebody who has none. */
  caller: 'login' | 'signup' | 'web' | 'nobody'
  service: ServiceName
  /** Method and path. */
  route: string
  headers: Partial<Record<HeaderName, TokenKind>>
  status: number
  /** Of the refusal. */
  code?: string
}

/** Calls that show one thing. */
export interface Scene {
  title: string
  calls: Call[]
}

const bearer = { Authorization: 'good' } as const
const profile = { service: 'user-profiles', route: 'GET /profiles/7' } as const
const newProfile = { service: 'user-profiles', route: 'POST /profiles' } as const
const hello = { service: 'user-profiles', route: 'GET /hello' } as const
const items = { service: 'search', route: 'GET /items' } as const

/** `login` may call `user-profiles` and may not call `search`. */
export const SCENARIO: Scene[] = [
  {
    title: 'In the list of the service, or of the route: let in, by either header',
    calls: [
      { caller: 'login', ...profile, headers: bearer, status: 200 },
      {
        caller: 'login',
        ...profile,
        headers: { 'X-Serverless-Authorization': 'good' },
        status: 200,
      },
      { caller: 'signup', ...newProfile, headers: bearer, status: 201 },
      { caller: 'web', ...items, headers: bearer, status: 200 },
    ],
  },
  {
    title: 'Known, but not in the list: 403',
    calls: [
      { caller: 'login', ...items, headers: bearer, ...refused(403, 'CALLER_NOT_ALLOWED') },
      { caller: 'login', ...newProfile, headers: bearer, ...refused(403, 'CALLER_NOT_ALLOWED') },
      {
        caller: 'login',
        ...profile,
        headers: { Authorization: 'no email' },
        ...refused(403, 'CALLER_UNIDENTIFIED'),
      },
    ],
  },
  {
    title: 'No token, or none that proves anything: 401',
    calls: [
      { caller: 'nobody', ...profile, headers: {}, ...refused(401, 'MISSING') },
      {
        caller: 'login',
        ...profile,
        headers: { Authorization: 'expired' },
        ...refused(401, 'EXPIRED'),
      },
      {
        caller: 'login',
        ...profile,
        headers: { Authorization: 'for search' },
        ...refused(401, 'AUDIENCE_MISMATCH'),
      },
      {
        caller: 'nobody',
        ...profile,
        headers: { Authorization: 'forged' },
        ...refused(401, 'SIGNATURE_INVALID'),
      },
    ],
  },
  {
    title: 'Signature removed, as Cloud Run does it: good only with an intact copy beside it',
    calls: [
      {
        caller: 'login',
        ...profile,
        headers: { 'X-Serverless-Authorization': 'stripped' },
        ...refused(401, 'SIGNATURE_REMOVED'),
      },
      {
        caller: 'login',
        ...profile,
        headers: { 'X-Serverless-Authorization': 'stripped', Authorization: 'good' },
        status: 200,
      },
    ],
  },
  {
    title: 'X-Serverless-Authorization decides alone, whatever Authorization holds',
    calls: [
      {
        caller: 'login',
        ...profile,
        headers: { 'X-Serverless-Authorization': 'expired', Authorization: 'good' },
        ...refused(401, 'EXPIRED'),
      },
    ],
  },
  {
    title: 'Optional and open routes; login calls user-profiles for its visitor',
    calls: [
      { caller: 'nobody', ...hello, headers: {}, status: 200 },
      { caller: 'login', ...hello, headers: bearer, status: 200 },
      {
        caller: 'login',
        ...hello,
        headers: { Authorization: 'expired' },
        ...refused(401, 'EXPIRED'),
      },
      { caller: 'nobody', service: 'login', route: 'GET /welcome/7', headers: {}, status: 200 },
    ],
  },
  {
    title: 'The same in Express',
    calls: [
      { caller: 'login', ...profile, service: 'express', headers: bearer, status: 200 },
      {
        caller: 'signup',
        ...profile,
        service: 'express',
        headers: bearer,
        ...refused(403, 'CALLER_NOT_ALLOWED'),
      },
      { caller: 'nobody', ...hello, service: 'express', headers: {}, status: 200 },
    ],
  },
]

function refused(status: number, reason: string): { status: number; code: string } {
  return { status, code: `ID_TOKEN_${reason}` }
}
