import { createServiceClient, type ServiceClient } from '../client/create-service-client.ts'
import { NegativeAnswer, printLines, UsageError, type Io } from './io.ts'

/** Whose token is wanted, and where from. */
interface Wanted {
  readonly url: string
  readonly audience?: string | undefined
  readonly serviceAccount?: string | undefined
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
 * @throws UsageError, NegativeAnswer
 */
export async function emulatorToken(
  emulator: string,
  audience: string,
  email: string | undefined,
): Promise<string> {
  if (!URL.canParse(emulator) || !/^https?:/.test(emulator)) {
    throw new UsageError(
      `Option --emulator is ${JSON.stringify(emulator)}; accepted: the URL that the emulator has printed`,
    )
  }
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
    throw new NegativeAnswer(`The emulator at ${url.origin} cannot be reached: ${String(cause)}`)
  })
  const text = await response.text()
  if (response.ok) return text
  throw new NegativeAnswer(
    `The emulator at ${url.origin} gives no token: status ${response.status}`,
  )
}

/** The emulator is ours: its answers are as they should be. */
function memberOf(json: string, name: string): string {
  return String((JSON.parse(json) as Record<string, unknown>)[name])
}
