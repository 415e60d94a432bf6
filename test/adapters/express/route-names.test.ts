/** How the routes of Express are named, and when a name is known. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { RouteNames, whenRouted } from '../../../src/adapters/express/route-names.ts'

const requestOf = (parts: object): IncomingMessage => parts as IncomingMessage

t.test('a name is the path of the router and that of the route', (t) => {
  const names = new RouteNames()
  t.equal(names.of(requestOf({ baseUrl: '/a', route: { path: '/b' } })), '/a/b')
  t.equal(names.of(requestOf({ route: { path: '/b' } })), '/b')
  t.equal(names.of(requestOf({ route: { path: /x/ } })), '/x/')
  t.equal(names.of(requestOf({ route: { path: ['/b', '/c'] } })), '/b,/c')
  t.equal(names.of(requestOf({ baseUrl: '/a' })), undefined)
  t.end()
})

t.test('only the first thousand names count', (t) => {
  const names = new RouteNames()
  const nameOf = (n: number) => names.of(requestOf({ baseUrl: `/${n}`, route: { path: '' } }))
  for (let n = 0; n < 1_000; n += 1) t.equal(nameOf(n), `/${n}`)
  t.equal(nameOf(1_000), undefined)
  t.equal(nameOf(999), '/999')
  t.equal(nameOf(0), '/0')
  t.end()
})

t.test('a name is known with the route, or when the response is over', (t) => {
  const runs = (request: object, closed: boolean): number[] => {
    const response = Object.assign(new EventEmitter(), { closed })
    let count = 0
    whenRouted(requestOf(request), response as unknown as ServerResponse, () => {
      count += 1
    })
    const before = count
    response.emit('close')
    response.emit('close')
    return [before, count]
  }
  t.strictSame(runs({ route: {} }, false), [1, 1])
  t.strictSame(runs({}, true), [1, 1])
  t.strictSame(runs({}, false), [0, 1])
  t.end()
})
