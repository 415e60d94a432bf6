import Fastify from 'fastify'
import t from 'tap'
import { documentGuards } from '../../../src/adapters/fastify/openapi.ts'
import { assertGuarded } from '../../../src/adapters/fastify/assert-guarded.ts'
import type { DeclaredRoute } from '../../../src/adapters/fastify/declared-route.ts'
import { RoutePolicies } from '../../../src/adapters/fastify/route-policies.ts'
import { parseVerifierOptions } from '../../../src/verifier/verifier-options.ts'

const { defaultPolicy } = parseVerifierOptions({
  audience: 'https://user-profiles-abc123-uc.a.run.app',
  allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
})
const unlisted = { ...defaultPolicy, allowedCallers: null }
const scope = Fastify()

/** Routes as Fastify makes them, each GET with its HEAD, which count how often they are read. */
function countedRoutes(
  count: number,
  urlOf: (route: number) => string,
): { routes: DeclaredRoute[]; reads: () => number } {
  let reads = 0
  const handler = (): void => undefined
  const counted = (route: DeclaredRoute): DeclaredRoute =>
    new Proxy(route, {
      get(target, name, receiver) {
        reads += 1
        return Reflect.get(target, name, receiver) as unknown
      },
    })
  const routes = Array.from({ length: count }, (_, route) =>
    ['GET', 'HEAD'].map((method) => {
      const url = urlOf(route)
      return counted({ scope, method, url, handler, options: { method, url, handler } })
    }),
  ).flat()
  return { routes, reads: () => reads }
}

t.test('start-up and listAllowedCallers look at each route a fixed number of times', (t) => {
  const works: Record<string, (routes: DeclaredRoute[]) => void> = {
    list: (routes) => new RoutePolicies(defaultPolicy).list(routes),
    check: (routes) => {
      new RoutePolicies(defaultPolicy).check(routes)
    },
    refuse: (routes) => {
      t.throws(() => {
        new RoutePolicies(unlisted).check(routes)
      })
    },
    cover: (routes) => {
      assertGuarded(routes, true)
    },
  }
  const urls: Record<string, (route: number) => string> = {
    'a url each': (route) => `/${route}`,
    'one url, as with versions': () => '/same',
  }
  for (const [work, run] of Object.entries(works)) {
    for (const [which, urlOf] of Object.entries(urls)) {
      const [few = 0, many = 0] = [50, 500].map((count) => {
        const { routes, reads } = countedRoutes(count, urlOf)
        run(routes)
        return reads()
      })
      t.ok(few > 0)
      t.ok(many <= few * 10, `${work}, ${which}: ${many} reads for ten times ${few}`)
    }
  }
  t.end()
})

t.test('the document is read as often for many routes as for one', (t) => {
  const readsFor = (count: number): number => {
    let reads = 0
    const document = { openapi: '3.1.0', paths: {} }
    const documented = {
      hasPlugin: () => true,
      swagger: (): object => {
        reads += 1
        return document
      },
    }
    const { routes } = countedRoutes(count, (route) => `/${route}`)
    const ofDocument = routes.map((route) => ({ ...route, scope: documented as never }))
    documentGuards(ofDocument, () => [])
    t.equal(documented.swagger(), document)
    return reads
  }
  t.ok(readsFor(1) > 0)
  t.equal(readsFor(8), readsFor(1))
  t.end()
})
