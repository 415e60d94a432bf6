/**
 * As much of Cloud Logging's query language as the project uses: comparisons, one a line, all of
 * which must hold (https://cloud.google.com/logging/docs/view/logging-query-language).
 */

/** An entry of Cloud Logging. */
export interface LogEntry {
  readonly severity: string
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> }
  readonly jsonPayload: Readonly<Record<string, unknown>>
}

const COMPARISON = /^(?<path>[\w.]+)(?<operator>[=:])(?<value>.+)$/

/** Whether a query finds an entry. */
export function finds(query: string, entry: LogEntry): boolean {
  const lines = query.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new Error('The query is empty')
  return lines.every((line) => holds(line.trim(), entry))
}

function holds(line: string, entry: LogEntry): boolean {
  const { path = '', operator, value = '' } = COMPARISON.exec(line)?.groups ?? {}
  if (path === '') throw new Error(`Not a comparison of one field: ${line}`)
  const field = path
    .split('.')
    .reduce<unknown>((outer, name) => (Object(outer) as Record<string, unknown>)[name], entry)
  // Any value of the field.
  if (operator === ':' && value === '*') return field !== undefined
  if (field === undefined) return false
  const wanted = value.startsWith('"') ? (JSON.parse(value) as string) : value
  if (operator === '=') return String(field) === wanted
  return String(field).toLowerCase().includes(wanted.toLowerCase())
}

/**
 * What Cloud Run makes of a line of JSON on standard output: `severity` is a field of the entry, and
 * the rest its payload (https://cloud.google.com/run/docs/logging#container-logs).
 */
export function entryOf(line: string, service: string): LogEntry {
  const { severity, ...jsonPayload } = JSON.parse(line) as Record<string, unknown>
  return {
    severity: String(severity ?? 'DEFAULT'),
    resource: { type: 'cloud_run_revision', labels: { service_name: service } },
    jsonPayload,
  }
}
