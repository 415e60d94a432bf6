import type { FastifyInstance } from 'fastify'
import type { DeclaredRoute } from './declared-route.ts'
import { describeGuards, GUARD_EXTENSION, type GuardOfOperation } from './openapi-document.ts'
import type { RouteAccess } from './types.ts'

/** The decorator of `@fastify/swagger`. Its types are not imported: users may not have the package. */
type WriteDocument = (options?: { yaml?: boolean }) => object | string

interface DocumentedScope extends Pick<FastifyInstance, 'hasPlugin'> {
  swagger: WriteDocument
}

/**
 * The decorators of this module: one document may have several guards, and its decorator is
 * replaced once.
 */
const installed = new WeakSet<WriteDocument>()

/**
 * Puts into the OpenAPI document of `@fastify/swagger` what the guard does on each route.
 *
 * `@fastify/swagger` keeps the options of each route, and reads their schema when the document is
 * asked for. So each route gets a schema with an extension that names its guard, and the extension
 * is replaced in the finished document. Responses and security are not put into the schema itself:
 * the option `transform` of an app may expect something else there than JSON Schema, and
 * `@fastify/swagger` fails for security schemes that its options do not have.
 *
 * Must be called after Fastify has compiled the schemas, in `onReady`. Fastify keeps the compiled
 * schema elsewhere, so neither validation nor serialization changes.
 *
 * @param accessOf - the rows of `listAllowedCallers()` for one route
 */
export function documentGuards(
  routes: readonly DeclaredRoute[],
  accessOf: (route: DeclaredRoute) => readonly RouteAccess[],
): void {
  for (const route of routes) {
    const scope = documentedScope(route.scope)
    if (scope === undefined) continue
    replaceDecorator(scope)
    for (const row of accessOf(route)) {
      const extension = { [GUARD_EXTENSION]: guardOf(row) }
      route.options.schema = { ...route.options.schema, ...extension }
    }
  }
}

/** The scope in which `@fastify/swagger` is registered: this one, or one around it. */
function documentedScope(scope: FastifyInstance): DocumentedScope | undefined {
  let owner: object | null = scope
  while (owner !== null && !Object.hasOwn(owner, 'swagger')) owner = prototypeOf(owner)
  const found = owner as unknown as DocumentedScope | null
  return found?.hasPlugin('@fastify/swagger') === true ? found : undefined
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null
}

function guardOf({ access, reportOnly }: RouteAccess): GuardOfOperation {
  return reportOnly === true ? 'reportOnly' : access
}

function replaceDecorator(scope: DocumentedScope): void {
  const write = scope.swagger
  if (installed.has(write)) return
  const described = new WeakMap<object, object>()
  scope.swagger = (options) => {
    // It returns the same object each time.
    const document = write() as object
    const known = described.get(document) ?? describeGuards(document)
    described.set(document, known)
    if (known === document) return write(options)
    // JSON is YAML as well (https://yaml.org/spec/1.2.2/#12-overview-of-yaml).
    return options?.yaml === true ? JSON.stringify(known, null, 2) : known
  }
  installed.add(scope.swagger)
}
