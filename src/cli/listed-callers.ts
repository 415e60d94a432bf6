import { parseAllowedCallers, type AllowedCaller } from '../policy/allowed-callers.ts'
import { UsageError, type Io } from './io.ts'
import { inputName, jsonOf } from './read-input.ts'

/** A row of `listAllowedCallers()`. */
export interface ListedRoute {
  readonly method: string
  readonly url: string
  readonly access: 'callers' | 'optional' | 'open'
  readonly allowedCallers: readonly AllowedCaller[]
}

const EXPECTED =
  "the JSON of listAllowedCallers() and no log lines: fs.writeFileSync('callers.json', JSON.stringify(app.listAllowedCallers()))"

/**
 * Reads what `listAllowedCallers()` has returned.
 *
 * @throws UsageError
 */
export async function listedRoutes(io: Io, file: string): Promise<readonly ListedRoute[]> {
  const rows = await jsonOf(io, file, EXPECTED)
  if (!Array.isArray(rows))
    throw new UsageError(`${inputName(file)} holds no list; accepted: ${EXPECTED}`)
  return rows.map((row: unknown, index) => {
    if (!isRow(row)) {
      throw new UsageError(`${inputName(file)} has no route at [${index}]; accepted: ${EXPECTED}`)
    }
    const { method, url, access, allowedCallers } = row
    return {
      method,
      url,
      access,
      allowedCallers:
        allowedCallers.length === 0
          ? []
          : parseAllowedCallers(`${method} ${url} allowedCallers`, allowedCallers).configured,
    }
  })
}

function isRow(row: unknown): row is ListedRoute {
  const { method, url, access, allowedCallers } = Object(row) as Partial<
    Record<keyof ListedRoute, unknown>
  >
  return (
    typeof method === 'string' &&
    typeof url === 'string' &&
    typeof access === 'string' &&
    ['callers', 'optional', 'open'].includes(access) &&
    Array.isArray(allowedCallers)
  )
}
