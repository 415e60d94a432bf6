import { FIELD_NAME } from '../checks/field-name.ts'
import { invalidOption } from '../checks/invalid-option.ts'
import { TOKEN_HEADERS } from './all-token-headers.ts'

/**
 * Names that mean something to HTTP clients, proxies or frameworks. They are removed, replaced or
 * read on the way: the hop-by-hop fields (RFC 9110 section 7.6.1), the forbidden request headers of
 * the Fetch standard (https://fetch.spec.whatwg.org/#forbidden-request-header), and those that
 * describe a body.
 */
const RESERVED =
  /^(?:accept|accept-charset|accept-encoding|access-control-.*|connection|content-.*|cookie2?|date|dnt|expect|forwarded|host|keep-alive|origin|proxy-.*|referer|sec-.*|set-cookie2?|te|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.*)$/

/**
 * The name of the header for the intact copy of a token whose other copy Cloud Run strips.
 *
 * @returns the name in lower case
 * @throws TypeError naming the option
 */
export function parseTwinHeader(option: string, value: unknown): string {
  if (typeof value === 'string' && FIELD_NAME.test(value)) {
    const name = value.toLowerCase()
    // A header that carries tokens itself cannot hold the intact copy.
    if (!TOKEN_HEADERS.includes(name) && !RESERVED.test(name)) return name
  }
  throw invalidOption(
    option,
    value,
    "the name of a header of your own, such as 'x-my-header': not one that HTTP gives a meaning to",
  )
}
