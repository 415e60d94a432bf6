import { STATUS_CODES } from 'node:http'
import { OUTCOMES, type IdTokenErrorCode } from '../../errors/outcomes.ts'

/** The extension of an operation that names its guard, until the document is finished. */
export const GUARD_EXTENSION = 'x-google-id-token'

/** What the guard does on a route: see `RouteAccess`. */
export type GuardOfOperation = 'callers' | 'optional' | 'open' | 'reportOnly'

/** The part of a document that is read or changed: of OpenAPI 3, or of Swagger 2. */
interface ApiDocument {
  readonly swagger?: string
  readonly paths?: Readonly<Record<string, PathItem>>
  readonly security?: readonly SecurityRequirement[]
  readonly securityDefinitions?: object
  readonly components?: { readonly securitySchemes?: object }
}

type PathItem = Readonly<Record<string, Operation>>
type SecurityRequirement = Readonly<Record<string, readonly string[]>>

interface Operation {
  readonly [GUARD_EXTENSION]?: GuardOfOperation
  readonly security?: readonly SecurityRequirement[]
  readonly responses: Readonly<Record<string, object>>
}

/** The name of the security scheme in the document. */
const SCHEME = 'googleIdToken'

const DESCRIPTION =
  'An ID token that Google has signed for this service, of a caller in the list of the route. X-Serverless-Authorization is read before Authorization.'

/** Swagger 2 has no scheme for bearer tokens. */
const SCHEMES = {
  openapi: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: DESCRIPTION },
  swagger: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: `${DESCRIPTION} The value is "Bearer", a space and the token.`,
  },
} as const

/**
 * Adds to a document what the guards of its operations do. What the document says already is kept.
 *
 * @returns the same document if none of its operations names a guard; otherwise a new one
 */
export function describeGuards(document: ApiDocument): object {
  const paths = Object.entries(document.paths ?? {})
  if (!paths.some(([, item]) => Object.values(item).some((value) => isMarked(value)))) {
    return document
  }
  return withScheme({
    ...document,
    paths: Object.fromEntries(
      paths.map(([path, item]) => [path, describeOperations(item, document)]),
    ),
  })
}

function isMarked(operation: Operation): boolean {
  return Object.hasOwn(operation, GUARD_EXTENSION)
}

/**
 * `@fastify/swagger` copies the options of a `HEAD` route with an `operationId` when the route is
 * declared, so such an operation has no extension. Its guard is that of the GET operation: a `HEAD`
 * route that was declared by itself has an extension of its own.
 */
function describeOperations(item: PathItem, document: ApiDocument): PathItem {
  const entries = Object.entries(item).map(([method, operation]) => {
    const guard =
      operation[GUARD_EXTENSION] ?? (method === 'head' ? item.get?.[GUARD_EXTENSION] : undefined)
    if (guard === undefined) return [method, operation]
    return [method, describeOperation(operation, guard, { method, document })]
  })
  return Object.fromEntries(entries) as PathItem
}

interface OperationContext {
  readonly method: string
  readonly document: ApiDocument
}

function describeOperation(
  operation: Operation,
  guard: GuardOfOperation,
  { method, document }: OperationContext,
): object {
  const members = Object.entries(operation).filter(([key]) => key !== GUARD_EXTENSION)
  const own = Object.fromEntries(members) as unknown as Operation
  if (guard === 'open') return own
  const isOpenApi = document.swagger === undefined
  const described = { security: securityOf(guard, document), ...own }
  if (guard === 'reportOnly') return described
  const added = Object.entries(REFUSALS)
    .filter(([status]) => !describesStatus(own.responses, status))
    .map(([status, refusal]) => [status, responseOf(refusal, { isOpenApi, method })])
  const responses = { ...own.responses, ...(Object.fromEntries(added) as object) }
  return { ...described, responses }
}

/**
 * The security of an operation replaces that of the document, so it has to repeat it. An empty
 * requirement says that a request without any credentials is accepted too
 * (https://spec.openapis.org/oas/v3.0.3#openapi-object, `security`).
 */
function securityOf(
  guard: GuardOfOperation,
  { security: others = [{}] }: ApiDocument,
): readonly SecurityRequirement[] {
  const withToken = others.map((other) => ({ ...other, [SCHEME]: [] }))
  return guard === 'callers' ? withToken : [...withToken, ...others]
}

/** Fastify serializes an answer with the first of these schemas that the route has. */
function describesStatus(responses: Operation['responses'], status: string): boolean {
  return [status, `${status.charAt(0)}XX`, 'default'].some((key) => Object.hasOwn(responses, key))
}

function withScheme(document: ApiDocument): object {
  if (document.swagger !== undefined) {
    const securityDefinitions = { [SCHEME]: SCHEMES.swagger, ...document.securityDefinitions }
    return { ...document, securityDefinitions }
  }
  const { components } = document
  const securitySchemes = { [SCHEME]: SCHEMES.openapi, ...components?.securitySchemes }
  return { ...document, components: { ...components, securitySchemes } }
}

interface Refusal {
  readonly description: string
  readonly header: string
  readonly about: string
  readonly type: 'string' | 'integer'
  /** One of the codes with this status: a route may have others of its own. */
  readonly example: IdTokenErrorCode
}

const CHALLENGE = {
  header: 'WWW-Authenticate',
  about: 'The challenge (RFC 6750 section 3).',
  type: 'string',
} as const

const REFUSALS: Readonly<Record<string, Refusal>> = {
  401: {
    description: 'There is no ID token, or it is not valid for this service.',
    ...CHALLENGE,
    example: 'ID_TOKEN_MISSING',
  },
  403: {
    description: 'The ID token is valid, and its caller is not allowed.',
    ...CHALLENGE,
    example: 'ID_TOKEN_CALLER_NOT_ALLOWED',
  },
  503: {
    description: 'The keys to verify ID tokens are unavailable for now.',
    header: 'Retry-After',
    about: 'Seconds after which the request may be sent again.',
    type: 'integer',
    example: 'ID_TOKEN_KEYS_UNAVAILABLE',
  },
}

/** As Fastify writes an error. */
function bodyOf(code: IdTokenErrorCode): object {
  const { status, message } = OUTCOMES[code]
  const error = STATUS_CODES[status]
  return {
    type: 'object',
    required: ['statusCode', 'code', 'error', 'message'],
    properties: {
      statusCode: { type: 'integer', example: status },
      code: { type: 'string', example: code },
      error: { type: 'string', example: error },
      message: { type: 'string', example: message },
    },
  }
}

/** The response to a HEAD request has no body. */
function responseOf(
  { description, header, about, type, example }: Refusal,
  { isOpenApi, method }: { readonly isOpenApi: boolean; readonly method: string },
): object {
  const value = isOpenApi ? { schema: { type } } : { type }
  const response = { description, headers: { [header]: { description: about, ...value } } }
  if (method === 'head') return response
  const schema = bodyOf(example)
  return isOpenApi
    ? { ...response, content: { 'application/json': { schema } } }
    : { ...response, schema }
}
