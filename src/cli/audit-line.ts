import { OTHERS_OUTCOME } from '../telemetry/audit-log.ts'

/** A line of the audit log, as the library writes it. */
export interface AuditLine {
  readonly method: string
  /** The route as it was declared; `null` where the request found none. */
  readonly route: string | null
  readonly outcome: string
  /** How many requests the line stands for. */
  readonly count: number
  /** `null`: no token, or one whose signature was not verified. */
  readonly caller: LoggedCaller | null
}

/** Who called. */
export interface LoggedCaller {
  readonly email: string | undefined
  readonly subject: string
}

/** An email address has at most 254 characters (RFC 5321 section 4.5.3.1.3), a route may be longer. */
const LONGEST_TEXT = 1_024

const FIELD = Buffer.from('"idToken"')

/**
 * Reads a JSON text of a log: a line of pino, or an entry of Cloud Logging, which has it in
 * `jsonPayload`.
 *
 * @returns `null` for any other line; `undefined` for one that is no JSON
 */
export function parseAuditLine(text: Buffer): AuditLine | null | undefined {
  // Most lines of a log are about something else, and need no parsing.
  if (!text.includes(FIELD)) return null
  let entry: unknown
  try {
    entry = JSON.parse(text.toString())
  } catch {
    return undefined
  }
  const payload = memberOf(entry, 'jsonPayload') ?? entry
  const idToken = memberOf(payload, 'idToken')
  const outcome = textOf(idToken, 'outcome')
  // The requests that are counted together have no method and no route.
  const method = textOf(idToken, 'method') ?? (outcome === OTHERS_OUTCOME ? '' : undefined)
  if (method === undefined || outcome === undefined) return null
  return {
    method,
    outcome,
    route: textOf(idToken, 'route') ?? null,
    count: countOf(memberOf(idToken, 'count')),
    caller: callerOf(memberOf(idToken, 'caller')),
  }
}

function callerOf(caller: unknown): LoggedCaller | null {
  const subject = textOf(caller, 'subject')
  return subject === undefined ? null : { email: textOf(caller, 'email'), subject }
}

/** Own members only: `__proto__` in a log is a name like any other. */
function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function textOf(value: unknown, name: string): string | undefined {
  const text = memberOf(value, name)
  return typeof text === 'string' && text !== '' && text.length <= LONGEST_TEXT ? text : undefined
}

/** Cloud Logging keeps numbers as doubles. A line without a count stands for one request. */
function countOf(count: unknown): number {
  return Number.isSafeInteger(count) && Number(count) > 0 ? Number(count) : 1
}
