import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Refusal } from './iam-check.ts'

/** The front end's own answers: refusals of the check, and of requests that are never passed on. */
export type OwnStatus = Refusal | 404 | 405

// From field reports; Google does not document these texts.
const TEXTS: Readonly<Record<OwnStatus, (path: string, method: string) => string>> = {
  401: (path) => `Your client does not have permission to the requested URL <code>${path}</code>.`,
  403: (path) =>
    `Your client does not have permission to get URL <code>${path}</code> from this server.`,
  404: (path) => `The requested URL <code>${path}</code> was not found on this server.`,
  405: (path, method) =>
    `The request method <code>${method}</code> is inappropriate for the URL <code>${path}</code>.`,
  503: () => 'The service you requested is not available yet.<p>Please try again in 30 seconds.',
}

/** Between error and error_description there is no comma, unlike RFC 6750 section 3. */
const CHALLENGE =
  'Bearer error="invalid_token" error_description="The access token could not be verified"'

/** Answers instead of the service, with the page of Google's front end. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: OwnStatus,
): void {
  const name = status === 503 ? 'Server Error' : String(STATUS_CODES[status])
  const page = `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${status} ${name}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: ${name}</h1>
<h2>${TEXTS[status](pathOf(request), String(request.method))}</h2>
<h2></h2>
</body></html>
`
  response.writeHead(status, {
    'content-type': 'text/html; charset=UTF-8',
    'content-length': Buffer.byteLength(page),
    server: 'Google Frontend',
    ...(status === 401 && { 'www-authenticate': CHALLENGE }),
    // RFC 9110 section 15.5.6 requires it.
    ...(status === 405 && { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' }),
  })
  response.end(page)
}

/** Without the query, which may hold a secret. */
function pathOf(request: IncomingMessage): string {
  const path = String(request.url).replace(/\?.*/s, '')
  return path.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
