/** The error bodies of Google's endpoints. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** The refusal of an OAuth endpoint (RFC 6749 section 5.2). */
export class OAuthError extends Error {
  readonly statusCode: number
  readonly body: object

  constructor(error: string, description: string, statusCode = 400) {
    super(description)
    this.statusCode = statusCode
    this.body = { error, error_description: description }
  }
}

const STATUS = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
}

/** The refusal of a Google API (https://google.aip.dev/193). */
export class GoogleApiError extends Error {
  readonly statusCode: keyof typeof STATUS
  readonly body: object

  /** @param details - `google.rpc.ErrorInfo`: the reason and its metadata */
  constructor(
    code: keyof typeof STATUS,
    message: string,
    details?: { reason: string; domain: string; metadata: Readonly<Record<string, string>> },
  ) {
    super(message)
    this.statusCode = code
    this.body = {
      error: {
        code,
        message,
        status: STATUS[code],
        ...(details && {
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', ...details }],
        }),
      },
    }
  }
}

/** Answers with the body of the error. Fastify answers other errors. */
export function answerError(
  error: FastifyError | OAuthError | GoogleApiError,
  _request: FastifyRequest,
  reply: FastifyReply,
): unknown {
  if (!('body' in error)) throw error
  const challenge = error.statusCode === 401 && error instanceof GoogleApiError
  if (challenge) reply.header('www-authenticate', 'Bearer realm="https://accounts.google.com/"')
  return reply.code(error.statusCode).send(error.body)
}
