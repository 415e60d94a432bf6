/** Requests to the emulator as scripts write them. */
import type { Test } from 'tap'
import { parseEmulatorOptions } from '../../src/testing/emulator/emulator-options.ts'
import { emulate } from '../../src/testing/emulator/start-emulator.ts'
import {
  createTestIssuer,
  type GoogleEmulator,
  type GoogleEmulatorOptions,
} from '../../src/testing.ts'
import { testKey } from './issuer.ts'

export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** What every request to the metadata server carries. */
export const METADATA = { 'metadata-flavor': 'Google' }
/** The path of the metadata about the default account. */
export const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default'

/** An answer that has been read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** `{}` where the answer is no JSON object. */
  readonly json: Record<string, unknown>
}

/** Named as the emulator names its own. */
const key = { ...testKey, kid: `test-${testKey.kid}` }

/** An emulator for one test, with the test key: most tests need no new one. */
export async function startEmulator(
  t: Test,
  options: GoogleEmulatorOptions = {},
): Promise<GoogleEmulator> {
  const settings = parseEmulatorOptions(options)
  const { clock } = settings
  const google = await emulate(settings, await createTestIssuer({ key, clock }))
  t.teardown(() => google.close())
  return google
}

export async function ask(
  google: GoogleEmulator,
  path: string,
  init: RequestInit = {},
): Promise<Answer> {
  const response = await fetch(`${google.url}${path}`, { redirect: 'manual', ...init })
  const { status, headers } = response
  const text = await response.text()
  return { status, headers, text, json: text.startsWith('{') ? (JSON.parse(text) as never) : {} }
}

export function post(
  google: GoogleEmulator,
  path: string,
  body: Record<string, string> | string,
): Promise<Answer> {
  const form = typeof body === 'string' ? body : new URLSearchParams(body)
  return ask(google, path, { method: 'POST', body: form })
}

/** The parameters with which a client exchanges a subject token for an access token, as JSON. */
export function tokenExchange(
  config: { readonly audience: string; readonly subject_token_type: string },
  subjectToken: string,
): Readonly<Record<string, string>> {
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: config.audience,
    scope: CLOUD_PLATFORM,
    requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
    subjectToken,
    subjectTokenType: config.subject_token_type,
  }
}

/** Calls a method of the Service Account Credentials API. */
export function api(
  google: GoogleEmulator,
  method: string,
  { token, body = {} }: { token: string; body?: unknown },
): Promise<Answer> {
  return ask(google, `/v1/projects/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** An access token of the default account. */
export async function accessToken(
  google: GoogleEmulator,
  scopes = CLOUD_PLATFORM,
): Promise<string> {
  const { json } = await ask(google, `${ACCOUNT}/token?scopes=${scopes}`, { headers: METADATA })
  return String(json.access_token)
}
