import { createServiceClient, type ServiceClient } from '../client/create-service-client.ts'
import type { IdTokenProvider } from '../client/parse-credentials.ts'
import type { Options } from './verb-text.ts'
import { NoAnswer, printLines, UsageError, type Io } from './io.ts'

/** Whose token is wanted, and where from. */
interface Wanted {
  readonly url: string
  readonly audience?: string | undefined
  readonly serviceAccount?: string | undefined
  /** Instead of the credentials at hand. */
  readonly auth?: IdTokenProvider
}

/** For `--help`: the credentials of verbs that get tokens. */
export const CREDENTIALS =
  'The credentials are application default credentials (the metadata server, GOOGLE_APPLICATION_CREDENTIALS, gcloud auth application-default login), which need google-auth-library in the same project. Those of a person cannot choose an audience: name a service account that they may impersonate. With --emulator no credentials are needed.'

/** The options of verbs that get tokens of the emulator. */
export const FROM_EMULATOR = {
  emulator: {
    type: 'string',
    value: 'URL',
    about: 'ask this emulator, and no credentials are needed',
  },
  email: {
    type: 'string',
    value: 'EMAIL',
    about: "whose token the emulator gives; default: its own account's",
  },
} as const satisfies Options

/**
 * Tokens are of the emulator, or of the credentials at hand.
 *
 * @throws UsageError
 */
export function assertOneSource(values: Source): void {
  const { emulator, email } = values
  if (emulator === undefined && email !== undefined) {
    throw new UsageError('Option --email is for --emulator; otherwise use --service-account')
  }
  if (emulator === undefined) return
  if (values['service-account'] !== undefined) {
    throw new UsageError('Option --service-account is not for --emulator; use --email')
  }
  if (!URL.canParse(emulator) || !/^https?:/.test(emulator)) {
    throw new UsageError(
      `Option --emulator is ${JSON.stringify(emulator)}; accepted: the URL that the emulator has printed`,
    )
  }
}

/** The options that say where tokens are from. */
interface Source {
  readonly emulator: string | undefined
  readonly email: string | undefined
  readonly 'service-account': string | undefined
}

/** A client of the credentials at hand, whose warnings are on standard error. */
export function clientFor(wanted: Wanted, io: Io): ServiceClient {
  return createServiceClient({
    ...wanted,
    clock: () => new Date(io.now()),
    logger: {
      warn: (_, message) => {
        printLines(io.stderr, [message])
      },
    },
  })
}

const ACCOUNTS = 'computeMetadata/v1/instance/service-accounts/default'
const METADATA = { 'metadata-flavor': 'Google' }

/**
 * A token of the emulator: of the account of its metadata server, or of any other.
 *
 * @throws NoAnswer
 */
export async function emulatorToken(
  emulator: string,
  audience: string,
  email: string | undefined,
): Promise<string> {
  if (email === undefined) {
    const query = new URLSearchParams({ audience, format: 'full' })
    return ask(new URL(`/${ACCOUNTS}/identity?${query.toString()}`, emulator), {
      headers: METADATA,
    })
  }
  const access = await ask(new URL(`/${ACCOUNTS}/token`, emulator), { headers: METADATA })
  const path = `/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:generateIdToken`
  const answer = await ask(new URL(path, emulator), {
    method: 'POST',
    headers: { authorization: `Bearer ${memberOf(access, 'access_token')}` },
    body: JSON.stringify({ audience, includeEmail: true }),
  })
  return memberOf(answer, 'token')
}

async function ask(url: URL, init: RequestInit): Promise<string> {
  const response = await fetch(url, init).catch((error: unknown) => {
    const { cause } = error as Error
    throw new NoAnswer(`The emulator at ${url.origin} cannot be reached: ${String(cause)}`)
  })
  const text = await response.text()
  if (response.ok) return text
  throw new NoAnswer(`The emulator at ${url.origin} gives no token: status ${response.status}`)
}

/** The emulator is ours: its answers are as they should be. */
function memberOf(json: string, name: string): string {
  return String((JSON.parse(json) as Record<string, unknown>)[name])
}
