import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { decodeJwt } from 'jose'
import { parsePort } from '../../checks/parse-options.ts'
import { printJson, printLines, UsageError, type Io } from '../io.ts'
import { listening } from '../listening.ts'
import { printable } from '../quoted.ts'
import { proxyServer } from './proxy-server.ts'
import type { IdTokenProvider } from '../../client/parse-credentials.ts'
import {
  assertOneSource,
  clientFor,
  CREDENTIALS,
  emulatorToken,
  FROM_EMULATOR,
} from '../token-supply.ts'
import { defineVerb, integerOf, type Values } from '../verb.ts'

/** As `gcloud run services proxy` has it. */
const DEFAULT_PORT = 8080

/** A local port that calls a service with a token. */
export const proxy = defineVerb(
  {
    name: 'proxy',
    operand: 'URL',
    summary:
      'opens a local port that adds an ID token to every request and passes it on to a service',
    about: [
      'For browsers, curl and clients that cannot get tokens. It listens on loopback, streams both ways and passes websockets. The token is in X-Serverless-Authorization, and in Authorization too, unless a request has one of its own, which is passed on untouched. Everything on this machine that reaches the port calls the service with your identity; pages of other sites are refused. HTTP/2 and gRPC are not passed on. A line on standard error names each request that the service answers with 401 or 403. Ctrl-C ends it; scripts run it without npx, which does not pass SIGTERM on.',
      CREDENTIALS,
    ],
    options: {
      port: {
        type: 'string',
        value: 'PORT',
        about: `the local port; 0 for any; default ${DEFAULT_PORT}`,
      },
      audience: {
        type: 'string',
        value: 'AUDIENCE',
        about:
          'of the tokens; default: the URL, so name the URL without the tag for a tagged revision',
      },
      'service-account': {
        type: 'string',
        value: 'EMAIL',
        about: 'the service account to impersonate; a person needs one',
      },
      ...FROM_EMULATOR,
    },
    examples: [
      'npx fastify-google-id-token proxy https://orders-abc123-uc.a.run.app --port 9090',
      [
        'npx fastify-google-id-token proxy https://orders-abc123-uc.a.run.app \\',
        '  --service-account web@shop-prod.iam.gserviceaccount.com',
      ].join('\n'),
      [
        'npx fastify-google-id-token proxy http://127.0.0.1:3000 --port 9090 \\',
        '  --audience https://orders.example.com --emulator http://127.0.0.1:9000',
      ].join('\n'),
    ],
    exits: ['it was ended by Ctrl-C or SIGTERM', 'there is no token, or it cannot listen'],
  },
  async ({ values, operand }, io) => {
    const url = parseOrigin(operand)
    const { audience } = values
    assertOneSource(values)
    const client = clientFor(
      { url: url.origin, audience, serviceAccount: values['service-account'], ...authOf(values) },
      io,
    )
    const port = parsePort(integerOf('port', values.port) ?? DEFAULT_PORT)
    // Credentials that cannot get a token fail now, and not at the first request.
    const { email } = decodeJwt(await client.idToken())
    const server = proxyServer({
      url,
      client,
      failed: (line) => {
        printLines(io.stderr, [printable(line)])
      },
    })
    const opened = await listening(listen(server, port))
    // Before the first line is printed: a program that reads it may end this process at once.
    const ended = untilInterrupted(io, server)
    const local = `http://127.0.0.1:${opened.port}`
    const about = { url: local, target: url.origin, audience: client.audience, email }
    if (values.json) printJson(io, about)
    else
      printLines(io.stdout, [
        `${local} calls ${url.origin}${who(email)}, with tokens for ${client.audience}. Ctrl-C ends it.`,
      ])
    await ended
    return 0
  },
)

/** The emulator in the place of the credentials at hand. */
function authOf({ emulator, email }: Values<typeof FROM_EMULATOR>): { auth?: IdTokenProvider } {
  if (emulator === undefined) return {}
  return { auth: { fetchIdToken: (audience) => emulatorToken(emulator, audience, email) } }
}

function who(email: unknown): string {
  return typeof email === 'string' ? ` as ${printable(email)}` : ''
}

function parseOrigin(text: string | undefined): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : null
  if (url !== null && `${url.origin}/` === url.href) return url
  throw new UsageError(
    'The URL of the service is needed, without a path: https://orders-abc123-uc.a.run.app',
  )
}

async function listen(server: Server, port: number): Promise<AddressInfo> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server.address() as AddressInfo
}

/** Requests in progress are cut off: one of them may stream for ever. */
async function untilInterrupted(io: Io, server: Server): Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await io.interrupted()
  server.close()
  for (const socket of sockets) socket.destroy()
}
