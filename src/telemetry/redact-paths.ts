import { TOKEN_HEADERS } from '../profiles/all-token-headers.ts'

/** Where loggers put the headers of a request: pino-http, Fastify's serializers, and log calls. */
const PLACES = ['req.headers', 'request.headers', 'headers']

/**
 * The paths for pino's option `redact` that keep tokens out of logged headers. Logs that redact
 * `req.headers.authorization` only still show X-Serverless-Authorization.
 */
export const redactPaths: string[] = PLACES.flatMap((place) =>
  TOKEN_HEADERS.map((header) => `${place}["${header}"]`),
)
Object.freeze(redactPaths)
