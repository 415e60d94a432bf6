import type { IncomingMessage, ServerResponse } from 'node:http'

/** How IAP refuses: by itself, before Cloud Run. */
export interface IapRefusal {
  readonly status: 401 | 403 | 503
  readonly text: string
}

/** Answers in the place of the service. */
export function answerAsIap(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: IapRefusal,
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=UTF-8',
    'content-length': Buffer.byteLength(text),
    'x-goog-iap-generated-response': 'true',
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}
