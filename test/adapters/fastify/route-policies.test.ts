/** Which configs of routes are refused when the app starts, and which are left to other plugins. */
import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import type { DeclaredRoute } from '../../../src/adapters/fastify/declared-route.ts'
import { RoutePolicies } from '../../../src/adapters/fastify/route-policies.ts'
import { parseVerifierOptions } from '../../../src/verifier/verifier-options.ts'
import { audience, login, signup } from '../../helpers/shop.ts'

const { defaultPolicy } = parseVerifierOptions({ audience, allowedCallers: [login] })
const list = { allowedCallers: [signup] }

/** Checks an app with one route. */
function check(options: object): void {
  const handler = (): void => undefined
  const route: DeclaredRoute = {
    scope: {} as FastifyInstance,
    method: 'GET',
    url: '/a',
    handler,
    options: { method: 'GET', url: '/a', handler, ...options } as RouteOptions,
  }
  new RoutePolicies(defaultPolicy).check([route])
}

t.test('an idToken that means nothing is refused by the check', (t) => {
  for (const idToken of [true, null, [], { allowedCallers: [] }, { allowedCaller: [login] }]) {
    t.throws(() => {
      check({ config: { idToken } })
    }, /^Option GET \/a config\.idToken/)
  }
  for (const idToken of [undefined, false, {}, list]) check({ config: { idToken } })
  t.end()
})

t.test('a list in the wrong place is refused, however it is spelled', (t) => {
  for (const [options, name] of [
    [{ idToken: list }, 'idToken'],
    [{ IDTOKEN: list }, 'IDTOKEN'],
    [{ config: { IdToken: list } }, String.raw`config\.IdToken`],
    [{ config: { AllowedCallers: [signup] } }, String.raw`config\.AllowedCallers`],
  ] as const) {
    t.throws(
      () => {
        check(options)
      },
      new RegExp(`^Option GET /a ${name} is .*; accepted: config.idToken and nothing else$`),
    )
  }
  t.end()
})

t.test('names that only contain these belong to other plugins', (t) => {
  for (const name of ['idTokens', 'idTokenHint', 'myIdToken', 'rapidToken']) {
    check({ [name]: true, config: { [name]: true } })
  }
  for (const name of ['allowedCallersOf', 'disallowedCallers']) check({ config: { [name]: true } })
  check({ allowedCallers: true })
  t.end()
})
