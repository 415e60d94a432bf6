/** What of a route's config is read, how routes are named, and which HEAD routes are copies. */
import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import type { DeclaredRoute } from '../../../src/adapters/fastify/declared-route.ts'
import { withoutAddedHeadRoutes } from '../../../src/adapters/fastify/added-head-routes.ts'
import {
  keepsIdToken,
  losesIdToken,
  ownIdToken,
  routeName,
  routeNames,
} from '../../../src/adapters/fastify/route-config.ts'

t.test('only an own enumerable idToken is one that Fastify keeps', (t) => {
  const inherited = Object.create({ idToken: 1 }) as object
  const hidden = Object.defineProperty({}, 'idToken', { value: 1 })
  for (const [config, own, keeps, loses] of [
    [undefined, undefined, false, false],
    [{}, undefined, false, false],
    [{ idtoken: 1 }, undefined, false, false],
    [{ idToken: 1 }, 1, true, false],
    [{ idToken: undefined }, undefined, true, false],
    [inherited, undefined, false, true],
    [hidden, undefined, false, true],
  ] as const) {
    t.strictSame(
      [ownIdToken(config), keepsIdToken(config), losesIdToken(config)],
      [own, keeps, loses],
    )
  }
  t.end()
})

t.test('of many routes the first ten are named', (t) => {
  t.equal(routeName('GET', '/a'), 'GET /a')
  t.equal(routeName(['GET', 'PUT'], '/a'), 'GET,PUT /a')
  const routes = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ method: 'GET', url: `/${n}` }))
  t.equal(routeNames(routes(2)), 'GET /0, GET /1')
  t.match(routeNames(routes(10)), /^GET \/0, .*, GET \/9$/)
  t.match(routeNames(routes(12)), /^GET \/0, .*, GET \/9 and 2 more$/)
  t.end()
})

t.test('a HEAD route is a copy if a GET route has its handler and its policy', (t) => {
  const scope = {} as FastifyInstance
  const [handler, other] = [() => null, () => null]
  const idToken = {}
  const route = (method: string | string[], url: string, parts: object = {}): DeclaredRoute => ({
    scope,
    method,
    url,
    handler,
    options: { config: { idToken } } as unknown as RouteOptions,
    ...parts,
  })
  const copies = (head: DeclaredRoute, ...gets: DeclaredRoute[]): boolean => {
    const left = withoutAddedHeadRoutes([...gets, head])
    t.ok(gets.every((get) => left.includes(get)))
    return !left.includes(head)
  }
  const head = route('HEAD', '/a')
  t.ok(copies(head, route('GET', '/a')))
  t.ok(copies(head, route(['PUT', 'GET'], '/a')))
  t.ok(copies(route('HEAD', '/a/'), route('GET', '/a')), 'of the copy with a slash')
  t.ok(copies(head, route('GET', '/a', { handler: other }), route('GET', '/a')))
  t.ok(copies(head, route('GET', '/a', { options: {} }), route('GET', '/a')))
  t.notOk(copies(head))
  t.notOk(copies(head, route('PUT', '/a')))
  t.notOk(copies(head, route('GET', '/a/')))
  t.notOk(copies(head, route('GET', '/b')))
  t.notOk(copies(route('HEAD', '/a/b'), route('GET', '/ab')))
  t.notOk(copies(head, route('GET', '/a', { handler: other })))
  t.notOk(copies(head, route('GET', '/a', { options: {} })))
  t.notOk(copies(route(['HEAD'], '/a'), route('GET', '/a')), 'its author wrote it')
  t.notOk(copies(route('PUT', '/a'), route('GET', '/a')))
  t.end()
})
