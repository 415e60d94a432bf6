/** The options that Cloud Tasks and Cloud Scheduler share: the request that they send. */
import { invalidOption } from '../../checks/invalid-option.ts'
import { parseBytes, parseHeaders, type PushOptions } from './push-options.ts'

/** The request of a task or a job. */
export interface HttpTargetPush extends PushOptions {
  /** The method of the request. Default `POST`. */
  httpMethod?: HttpMethod | undefined
  /**
   * Additional headers. Headers that Google sets, such as `User-Agent` and `Authorization`, are
   * ignored, as at Google. Default: none.
   */
  headers?: Readonly<Record<string, string>> | undefined
  /** Text or bytes, with `POST`, `PUT` and `PATCH` only. Default: none. */
  body?: string | Uint8Array | undefined
}

/** The options that only a task and a job have. */
export const HTTP_TARGET_OPTION_NAMES = [
  'httpMethod',
  'headers',
  'body',
] as const satisfies readonly (keyof HttpTargetPush)[]

const METHODS = ['POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const
const METHODS_WITH_BODY: readonly unknown[] = ['POST', 'PUT', 'PATCH']

/**
 * `HttpMethod` of both APIs.
 *
 * @useDeclaredType
 */
export type HttpMethod = (typeof METHODS)[number]

/** The request, without what the product adds. */
export interface HttpTarget {
  readonly method: HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/**
 * Parses the request.
 *
 * @param serviceHeaders - the names of the headers that the product sets, or replaces if they are
 * given
 */
export function parseHttpTarget(
  { httpMethod = 'POST', headers = {}, body }: Readonly<Record<string, unknown>>,
  serviceHeaders: RegExp,
): HttpTarget {
  const method = METHODS.find((one) => one === httpMethod)
  if (method === undefined) throw invalidOption('httpMethod', httpMethod, METHODS.join(', '))
  if (body !== undefined && !METHODS_WITH_BODY.includes(method)) {
    throw invalidOption(
      'httpMethod',
      method,
      `${METHODS_WITH_BODY.join(', ')} where there is a body`,
    )
  }
  return {
    method,
    headers: Object.fromEntries(
      Object.entries(parseHeaders('headers', headers)).filter(
        ([name]) => !serviceHeaders.test(name),
      ),
    ),
    body: body === undefined ? undefined : parseBytes('body', body),
  }
}
