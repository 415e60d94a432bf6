/** What a client says where Google refuses, with whichever version of google-auth-library is loaded. */
import { inspect } from 'node:util'
import type * as GoogleAuthLibrary from 'google-auth-library'
import type { Test } from 'tap'
import { createServiceClient, type ServiceClientOptions } from '../../src/client.ts'
import { holdsPartOf } from './captured-log.ts'
import { errorOf } from './client-helpers.ts'
import {
  federation,
  sentTo,
  serviceAccountKey,
  testOnlyKey,
  type Endpoint,
  type Fault,
  type GoogleServer,
} from './google-server.ts'
import { audience as url } from './shop.ts'

const account = 'refused@shop-prod.iam.gserviceaccount.com'

/** What each code advises. */
const REMEDIES = {
  PERMISSION_DENIED: /roles\/iam.serviceAccountOpenIdTokenCreator/,
  AUDIENCE_REFUSED: /custom audiences/,
  CREDENTIALS_REFUSED: /still valid/,
  TOKEN_UNAVAILABLE: /can be reached/,
}

interface Refusal {
  readonly what: string
  readonly credentials: 'federation' | 'key' | 'metadata'
  /** What answers otherwise than it should; without one, a permission is missing. */
  readonly fault?: readonly [endpoint: Endpoint, fault: Fault]
  readonly code: keyof typeof REMEDIES
  /** What is reported of the answer. */
  readonly reason?: RegExp
}

/** Answers that repeat the credentials they were asked with. */
const echoed = (secrets: readonly string[]): string =>
  `it said ${secrets.join(' and ')}, Bearer ${secrets.join(',')}`

function oauth(error: string, status = 400, words = ''): Fault {
  return (secrets) => ({ status, body: { error, error_description: words + echoed(secrets) } })
}

function envelope(code: number, message: string): Fault {
  return (secrets) => ({
    status: code,
    body: { error: { code, message: `${message}; ${echoed(secrets)}`, status: 'X' } },
  })
}

function plain(status: number, words: string): Fault {
  return (secrets) => ({ status, body: `${words} ${echoed(secrets)}` })
}

const invalidTarget = { error: 'invalid_target', error_description: 'The audience is wrong' }

const REFUSALS: readonly Refusal[] = [
  {
    what: 'the account may not',
    credentials: 'federation',
    code: 'PERMISSION_DENIED',
    reason: /getOpenIdToken/,
  },
  {
    what: 'it may not, in other words',
    credentials: 'federation',
    fault: ['generateIdToken', envelope(403, 'No')],
    code: 'PERMISSION_DENIED',
    reason: /^No; it said/,
  },
  {
    what: 'no such audience',
    credentials: 'federation',
    fault: ['generateIdToken', envelope(400, 'Bad audience')],
    code: 'AUDIENCE_REFUSED',
    reason: /audience/,
  },
  {
    what: 'no such audience, for a key',
    credentials: 'key',
    fault: ['token', plain(400, 'target_audience?')],
    code: 'AUDIENCE_REFUSED',
    reason: /target_audience/,
  },
  {
    what: 'no such audience on the machine',
    credentials: 'metadata',
    fault: ['metadata', plain(400, 'audience!')],
    code: 'AUDIENCE_REFUSED',
    reason: /audience/,
  },
  {
    what: 'a bad assertion',
    credentials: 'key',
    fault: ['token', oauth('invalid_grant')],
    code: 'CREDENTIALS_REFUSED',
    reason: /it said/,
  },
  {
    what: 'a bad audience of an assertion',
    credentials: 'key',
    fault: ['token', oauth('invalid_grant', 400, 'Failed audience check; ')],
    code: 'CREDENTIALS_REFUSED',
    reason: /it said/,
  },
  {
    what: 'a client that may not',
    credentials: 'key',
    fault: ['token', oauth('unauthorized_client', 403)],
    code: 'CREDENTIALS_REFUSED',
    reason: /it said/,
  },
  {
    what: 'an error of another kind',
    credentials: 'key',
    fault: ['token', oauth('gone', 404)],
    code: 'TOKEN_UNAVAILABLE',
    reason: /it said/,
  },
  {
    what: 'a bad subject token',
    credentials: 'federation',
    fault: ['sts', oauth('invalid_request')],
    code: 'CREDENTIALS_REFUSED',
    reason: /it said/,
  },
  {
    what: 'a bad audience of the provider',
    credentials: 'federation',
    fault: ['sts', () => ({ status: 400, body: invalidTarget })],
    code: 'CREDENTIALS_REFUSED',
    reason: /audience/,
  },
  {
    what: 'a bad access token',
    credentials: 'federation',
    fault: ['generateIdToken', envelope(401, 'Unauthenticated')],
    code: 'CREDENTIALS_REFUSED',
    reason: /^Unauth/,
  },
  {
    what: 'no provider',
    credentials: 'federation',
    fault: ['subject', plain(404, 'gone')],
    code: 'TOKEN_UNAVAILABLE',
    reason: /^gone/,
  },
  {
    what: 'no account on the machine',
    credentials: 'metadata',
    fault: ['metadata', plain(404, 'no account')],
    code: 'TOKEN_UNAVAILABLE',
    reason: /no account/,
  },
  {
    what: 'an error page',
    credentials: 'metadata',
    fault: ['metadata', () => ({ status: 404, body: '<html>' })],
    code: 'TOKEN_UNAVAILABLE',
  },
  {
    what: 'nonsense',
    credentials: 'metadata',
    fault: ['metadata', (secrets) => ({ status: 200, body: `x${echoed(secrets)}` })],
    code: 'TOKEN_UNAVAILABLE',
    reason: /not an ID token/,
  },
]

/** Whether any line of the key stands in the text, but for the first and the last. */
function holdsKey(text: string): boolean {
  const lines = testOnlyKey.split('\n').filter((line) => line.length > 40)
  return lines.some((line) => holdsPartOf(line, text))
}

export async function testRemedies(
  t: Test,
  { Compute, GoogleAuth }: typeof GoogleAuthLibrary,
  google: GoogleServer,
): Promise<void> {
  const auth: Record<Refusal['credentials'], () => ServiceClientOptions['auth']> = {
    federation: () =>
      new GoogleAuth({ credentials: federation(google, { impersonate: account }), projectId: 'p' }),
    key: () =>
      new GoogleAuth({ credentials: serviceAccountKey(account), clientOptions: sentTo(google) }),
    metadata: () => new Compute(),
  }
  for (const { what, credentials, fault, code, reason } of REFUSALS) {
    if (fault !== undefined) {
      google.allow('federated', account)
      google.fail(...fault)
    }
    const error = await errorOf(createServiceClient({ url, auth: auth[credentials]() }).idToken())
    if (fault !== undefined) google.fail(fault[0], null)
    t.equal(error.code, `SERVICE_CLIENT_${code}`, what)
    t.match(error.message, REMEDIES[code], what)
    t.match(error.detail.reason, reason, what)
    const shown = [
      inspect(error, { depth: 10, showHidden: true }),
      JSON.stringify(error),
      String(error.stack),
    ].join('\n')
    const leaked = google.secrets.filter((secret) => secret !== '' && holdsPartOf(secret, shown))
    t.same(leaked, [], `${what}: no secret`)
    t.notOk(holdsKey(shown), `${what}: no key`)
  }
}
