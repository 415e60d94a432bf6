import type { FastifyRequest } from 'fastify'

/** A body as it came; nothing where there was none. */
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

/** What a body is as a JSON object, whatever its content type says; `null` where it is none. */
export function jsonObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** Members by their names in JSON: a message of protobuf may as well be told by those of the field. */
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
 * The query, read as leniently as can be: Google's own Node client puts an audience in as it is, so
 * that an `&` in it ends it.
 */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(/\?(.*)/s.exec(request.url)?.[1])
}
