/**
 * Options, policies and lists of callers, as JSON.
 *
 * Input: `{ "options", "policy", "list", "audience", "email", "subject" }`, each of them anything.
 */
import assert from 'node:assert/strict'
import { parseGuardPolicy, parsePolicy, requireList } from '../../src/policy/access-policy.ts'
import { parseAllowedCallers } from '../../src/policy/allowed-callers.ts'
import { parseAudiences } from '../../src/policy/audiences.ts'
import { isNamedBy } from '../../test/helpers/expected-list.ts'
import { parseVerifierOptions } from '../../src/verifier/verifier-options.ts'

export function fuzz(data: Buffer): void {
  const input = inputOf(data)
  if (input === null) return
  const { options, policy, list, audience, email, subject } = input
  const defaults = compiled(() => parseVerifierOptions(options))?.defaultPolicy
  compiled(() => parseVerifierOptions({ audience: 'x', iap: options }))
  if (defaults !== undefined) {
    compiled(() => parsePolicy('policy', policy, defaults))
    const guard = compiled(() => parseGuardPolicy('policy', policy, defaults))
    const required = guard && compiled(() => requireList('allowedCallers', guard))
    // Default deny: without a list, only reports start.
    if (guard && !required)
      assert.deepEqual([guard.allowedCallers, guard.reportOnly], [null, false])
    if (guard?.allowedCallers === null && required) assertNobody(required.allowedCallers, email)
  }
  const compiledList = compiled(() => parseAllowedCallers('list', list))
  if (compiledList !== null) assertList(list as unknown[], compiledList, email, subject)
  const audiences = compiled(() => parseAudiences('audience', audience))
  if (audiences !== null) assertAudiences([audience].flat(), audiences.spellings)
}

function inputOf(data: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data.toString())
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null
  } catch {
    return null
  }
}

/** The only error is the documented one. */
function compiled<Value>(compile: () => Value): Value | null {
  try {
    return compile()
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error))
    assert.equal((error as { code?: unknown }).code, 'ID_TOKEN_OPTION_INVALID', String(error))
    assert.match(error.message, /accepted: /)
    return null
  }
}

type Includes = ReturnType<typeof parseAllowedCallers>

function assertNobody({ includes }: Includes, email: unknown): void {
  assert.equal(includes(String(email), '112233445566778899001'), false)
}

/** A list has the callers that its entries name, and no others. */
function assertList(list: readonly unknown[], { includes }: Includes, ...given: unknown[]): void {
  const [email, subject] = given.map((one) => (typeof one === 'string' ? one : ''))
  const named = list.flatMap((entry) => accountsOf(entry))
  for (const one of [email, ...named, ...named.flatMap(neighbours)]) {
    for (const id of [subject, ...named.filter((account) => /^[0-9]+$/.test(account))]) {
      assert.equal(
        includes(one, id ?? ''),
        list.some((entry) => isNamedBy(entry, one ?? '', id ?? '')),
        `${String(one)} ${String(id)} in ${JSON.stringify(list)}`,
      )
    }
  }
}

function accountsOf(entry: unknown): string[] {
  if (typeof entry !== 'string') return [String((entry as { email: unknown }).email)]
  return [entry, entry.replace(/^serviceAccount:/, ''), entry.replace(/^\*/, 'someone')]
}

function neighbours(account: string): string[] {
  return [
    `x${account}`,
    `${account}x`,
    account.toUpperCase(),
    account.replace('@', '@x.'),
    `service-1@${account.split('@')[1] ?? ''}`,
  ]
}

/** Exact, except for the one slash after an origin. */
function assertAudiences(given: readonly unknown[], spellings: ReadonlyMap<string, string>): void {
  const accepted = given.map(String).flatMap((audience) => {
    const isOrigin = /^https?:\/\/[^/?#]+\/?$/.test(audience)
    return isOrigin ? [audience, otherSpelling(audience)] : [audience]
  })
  assert.deepEqual(new Set(spellings.keys()), new Set(accepted))
  for (const [spelling, audience] of spellings) {
    assert.ok(given.includes(audience))
    assert.ok(spelling === audience || spelling === otherSpelling(audience))
  }
}

function otherSpelling(origin: string): string {
  return origin.endsWith('/') ? origin.slice(0, -1) : `${origin}/`
}
