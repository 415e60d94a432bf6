import fc from 'fast-check'
import type { Test } from 'tap'
import { expectedCaller } from './expected-caller.ts'
import type { Pair } from './expected-token.ts'
import { frameworks, type Framework } from './guarded-app.ts'
import {
  anyHeaders,
  anyService,
  expectedServiceOf,
  isReportOnly,
  partsOf,
  type ServiceDescription,
} from './request-properties.ts'

const SEED = 20_261_128
const REFUSALS = [400, 401, 403, 503]

/** How often what happened. */
type Counts = Record<string, number>

/**
 * Asserts for so many services, each with a few requests, that nothing but an outcome of the table
 * is answered, that nobody is a caller whom the reference would not let in, and that a service in
 * report-only mode refuses nobody.
 */
export async function assertRequests(t: Test, services: number): Promise<void> {
  const counts: Counts = {}
  const unhandled: unknown[] = []
  const note = (problem: unknown): void => void unhandled.push(problem)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const requests = fc.array(anyHeaders, { minLength: 1, maxLength: 8 })
  const property = fc.asyncProperty(
    fc.nat({ max: frameworks.length - 1 }),
    anyService,
    requests,
    async (index, service, requests) => {
      const framework = frameworks[index] as Framework
      await assertService(t, { framework, service, requests, counts })
      if (unhandled.length > 0) throw new Error('an unhandled rejection', { cause: unhandled[0] })
    },
  )
  await fc.assert(property, { seed: SEED, numRuns: services, includeErrorInReport: true })
  t.comment(counts)
  for (const status of ['accepted', 'reported', ...REFUSALS]) {
    t.ok((counts[status] ?? 0) >= services / 50, `${status}: ${counts[status] ?? 0}`)
  }
}

interface Asked {
  readonly framework: Framework
  readonly service: ServiceDescription
  readonly requests: readonly Pair[][]
  readonly counts: Counts
}

async function assertService(
  t: Test,
  { framework, service, requests, counts }: Asked,
): Promise<void> {
  const app = await framework.start(t, partsOf(service))
  try {
    for (const headers of requests) {
      const { status, body } = await app.ask({ headers })
      const expected = await expectedCaller(headers, expectedServiceOf(service))
      const outcome = outcomeOf(status, body)
      counts[outcome] = (counts[outcome] ?? 0) + 1
      const problem = problemOf({ service, status, body, expected })
      if (problem !== null) {
        throw new Error(`${problem}: ${status} ${body} for ${JSON.stringify(headers)}`)
      }
    }
  } finally {
    await app.close()
  }
}

function outcomeOf(status: number, body: string): string {
  if (status !== 200) return String(status)
  return body === '{"caller":null}' ? 'reported' : 'accepted'
}

interface Answered {
  readonly service: ServiceDescription
  readonly status: number
  readonly body: string
  readonly expected: { readonly email: string | undefined } | null
}

/** What is wrong with an answer; `null` if nothing is. */
function problemOf(answered: Answered): string | null {
  return answered.status === 200 ? problemOfCaller(answered) : problemOfRefusal(answered)
}

function problemOfRefusal({ service, status, expected }: Answered): string | null {
  if (isReportOnly(service)) return 'a request is refused that is only reported'
  if (!REFUSALS.includes(status)) return 'a status that is not in the table'
  // With an endpoint, the reference does not know which keys the service has.
  if (service.endpoint !== undefined) return null
  if (status === 503) return 'keys of an option are missing'
  return expected === null ? null : 'a caller is refused whom jose lets in'
}

function problemOfCaller({ service, body, expected }: Answered): string | null {
  if (body === '{"caller":null}') {
    return isReportOnly(service) ? null : 'a request without a caller is let in'
  }
  const isSame = expected !== null && body === JSON.stringify({ caller: expected.email })
  return isSame ? null : `the caller is to be ${JSON.stringify(expected)}`
}
