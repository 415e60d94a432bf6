import type { FastifyRequest } from 'fastify'

/** The body of a request; `''` if there was none. */
export function textBody(request: FastifyRequest): string {
  return typeof request.body === 'string' ? request.body : ''
}

/**
 * The parameters of a token request: a form (RFC 6749 section 4), or a JSON object, whose names
 * Google spells in camel case.
 */
export function tokenParameters(request: FastifyRequest): ReadonlyMap<string, string> {
  const body = textBody(request)
  const json = jsonObject(body)
  const parameters = new Map<string, string>()
  if (json === null) {
    for (const [name, value] of new URLSearchParams(body)) parameters.set(name, value)
    return parameters
  }
  for (const [name, value] of Object.entries(json)) {
    if (typeof value === 'string') parameters.set(snakeCase(name), value)
  }
  return parameters
}

/** The body as a JSON object, with any content type; `null` if it is none. */
export function jsonObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/**
 * Members by their names in JSON. A protobuf message in JSON may also use the names of the fields.
 */
export function protoMembers(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [camelCase(name), value]))
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/**
 * The query, read leniently: Google's Node client does not escape the audience, so an `&` in the
 * audience ends it.
 */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(/\?(.*)/s.exec(request.url)?.[1])
}
