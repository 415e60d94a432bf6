import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { oneLineText } from '../errors/one-line.ts'
import { startGoogleEmulator } from '../testing/emulator/start-emulator.ts'
import { shellQuoted } from './bindings.ts'
import { printLines, type Io } from './io.ts'
import { listening } from './listening.ts'
import { defineVerb, integerOf } from './verb.ts'

/** Google on loopback, as a process. */
export const emulator = defineVerb(
  {
    name: 'emulator',
    summary:
      'runs the emulator of Google (keys, metadata server, tokens) for services in any language',
    about: [
      'Prints the environment variables with which a service finds this Google, then one line for each request. Everyone who reaches it gets tokens of any account, so it listens on loopback unless you allow more. It needs the package fastify. Ctrl-C ends it.',
    ],
    options: {
      port: { type: 'string', value: 'PORT', about: 'default: any free port' },
      host: { type: 'string', value: 'HOST', about: 'the address to listen on; default 127.0.0.1' },
      'allow-remote': { type: 'boolean', about: 'let --host be another address than loopback' },
      'service-account': {
        type: 'string',
        value: 'EMAIL',
        about: "the account of the metadata server; default: the project's Compute Engine account",
      },
      project: { type: 'string', value: 'PROJECT', about: 'the id of the project' },
      env: {
        type: 'boolean',
        about: 'print nothing but the variables, for a file that is sourced',
      },
    },
    examples: [
      'npx fastify-google-id-token emulator --port 9000 --service-account web@shop-prod.iam.gserviceaccount.com',
      'npx fastify-google-id-token emulator --port 9000 --env > google.env & sleep 1; . ./google.env; python service.py',
    ],
    exits: ['it was ended by Ctrl-C or SIGTERM', 'it cannot listen'],
  },
  async ({ values }, io) => {
    const google = await listening(
      startGoogleEmulator({
        port: integerOf('port', values.port),
        host: values.host,
        allowRemote: values['allow-remote'],
        serviceAccount: values['service-account'],
        projectId: values.project,
      }),
    )
    // Before the first line: who reads that it listens may end it at once.
    const interrupted = io.interrupted()
    const { url, jwksUri, serviceAccount, env } = google
    const variables = Object.entries(env).map(
      ([name, value]) => `export ${name}=${shellQuoted(value)}`,
    )
    if (values.json) printLines(io.stdout, [JSON.stringify({ url, jwksUri, serviceAccount, env })])
    else if (values.env) printLines(io.stdout, variables)
    else {
      printLines(io.stdout, [
        `Google is at ${url}, as ${serviceAccount}. Ctrl-C ends it.`,
        `Its keys, for the option jwksUri: ${jwksUri}`,
        '',
        ...variables,
        '',
      ])
    }
    const stop = values.env
      ? () => undefined
      : printRequests(Number(new URL(url).port), values.json, io)
    await interrupted
    stop()
    await google.close()
    return 0
  },
)

const FINISHED = 'http.server.response.finish'

/**
 * Prints the requests to one server of this process, which Node announces
 * (https://nodejs.org/api/diagnostics_channel.html#http).
 *
 * @returns a function that ends it
 */
function printRequests(port: number, json: boolean, io: Io): () => void {
  const print = (message: unknown): void => {
    const { request, response, server } = message as {
      request: IncomingMessage
      response: ServerResponse
      server: Server
    }
    if ((server.address() as AddressInfo | null)?.port !== port) return
    const line = loggedRequest(request, response)
    const { method, path, status, audience } = line
    const text = `${String(method)} ${path} ${status}${audience === undefined ? '' : ` ${audience}`}`
    printLines(io.stdout, [json ? JSON.stringify(line) : text])
  }
  subscribe(FINISHED, print)
  return () => {
    unsubscribe(FINISHED, print)
  }
}

/** What looks like a token in an unexpected place. */
const CREDENTIAL = /eyJ[\w-]*(?:\.[\w-]*)+|ya29\.[\w-]+|1\/\/[\w-]+/g

function loggedRequest(
  { method, url = '' }: IncomingMessage,
  { statusCode }: ServerResponse,
): { method: string | undefined; path: string; status: number; audience: string | undefined } {
  const [path = '', query] = url.split('?', 2)
  const audience = new URLSearchParams(query).get('audience')
  return {
    method,
    path: printed(path),
    status: statusCode,
    audience: audience === null ? undefined : printed(audience),
  }
}

function printed(text: string): string {
  return oneLineText(text.replace(CREDENTIAL, '[redacted]'))
}
