import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createVerifier, IdTokenError } from 'fastify-google-id-token/verifier'

export interface NodeHttpConfig {
  audience: string | string[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
}

/** The service without a framework: every path but /health is guarded. */
export function buildNodeHttp(config: NodeHttpConfig): Server {
  const verifier = createVerifier({
    ...config,
    allowedCallers: ['login@shop-prod.iam.gserviceaccount.com'],
  })
  const answer: AsyncListener = async (request, response) => {
    if (request.url === '/health') {
      response.end('ok\n')
      return
    }
    const caller = await verifier.authenticate(request)
    answerJson(response, 200, { path: request.url, servedFor: caller?.email })
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      answerError(response, error)
    })
  })
  return server.on('close', () => {
    verifier.close()
  })
}

type AsyncListener = (...args: Parameters<RequestListener>) => Promise<void>

/** A refusal has its status, and its challenge or `Retry-After` in `headers`. */
function answerError(response: ServerResponse, error: unknown): void {
  if (error instanceof IdTokenError) {
    const { code, message, statusCode, headers } = error
    answerJson(response, statusCode, { code, message }, headers)
    return
  }
  console.error(error)
  answerJson(response, 500, { message: 'Internal Server Error' })
}

function answerJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
