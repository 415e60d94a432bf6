import { oneLineText } from '../../errors/one-line.ts'
import type { GoogleEmulator } from '../../testing/emulator/google-emulator.ts'
import type { LoggedRequest } from '../../testing/emulator/logged-request.ts'
import { FastifyMissing } from '../../testing/emulator/load-fastify.ts'
import { startEmulator } from '../../testing/emulator/start-emulator.ts'
import { shellQuoted } from '../bindings.ts'
import { writeWhole } from './env-file.ts'
import { installLine } from '../install-line.ts'
import { NoAnswer, printLines, type Io } from '../io.ts'
import { listening } from '../listening.ts'
import { COMMAND, LOCAL_COMMAND } from '../command-name.ts'
import { defineVerb, integerOf } from '../verb.ts'

/** Google on loopback, as a process. */
export const emulator = defineVerb(
  {
    name: 'emulator',
    summary:
      'runs the emulator of Google (keys, metadata server, tokens) for services in any language',
    about: [
      'Prints the environment variables with which a service finds this Google, then one line for each request. Everyone who reaches it gets tokens of any account, so it listens on loopback unless you allow more. It needs the package fastify in the same project. Ctrl-C ends it; scripts run it without npx, which does not pass SIGTERM on.',
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
      // Not --env-file: Node takes an option of this name for its own, wherever it stands.
      'write-env': {
        type: 'string',
        value: 'FILE',
        about:
          'write the variables to this file once it listens, and remove the file when it ends; the file is there as a whole or not at all',
      },
      env: { type: 'boolean', about: 'print nothing but the variables' },
    },
    examples: [
      `npx ${COMMAND} emulator --port 9000 \\\n  --service-account web@shop-prod.iam.gserviceaccount.com`,
      [
        `${LOCAL_COMMAND} emulator --write-env google.env &`,
        'until [ -e google.env ]; do kill -0 $! || exit 1; sleep 0.1; done',
        '. ./google.env; python service.py; kill $!',
      ].join('\n'),
    ],
    exits: ['it was ended by Ctrl-C or SIGTERM', 'it cannot listen, or fastify is not installed'],
  },
  async ({ values }, io) => {
    const google = await started({
      port: integerOf('port', values.port),
      host: values.host,
      allowRemote: values['allow-remote'],
      serviceAccount: values['service-account'],
      projectId: values.project,
      answered: (request) => {
        if (!values.env) printLines(io.stdout, [requestLine(request, values.json)])
      },
    })
    // Before the first line is printed: a program that reads it may end this process at once.
    const interrupted = io.interrupted()
    try {
      await serve(google, values, { io, interrupted })
    } finally {
      await google.close()
    }
    return 0
  },
)

type Options = Parameters<typeof startEmulator>[0] & {
  answered: Parameters<typeof startEmulator>[1]
}

/** @throws NoAnswer if Fastify is missing, or it cannot listen */
async function started({ answered, ...options }: Options): Promise<GoogleEmulator> {
  try {
    return await listening(startEmulator(options, answered))
  } catch (error) {
    if (!(error instanceof FastifyMissing)) throw error
    throw new NoAnswer(
      `The emulator needs the package fastify. ${installLine('fastify', 'emulator')}`,
    )
  }
}

interface Output {
  readonly 'write-env': string | undefined
  readonly env: boolean
  readonly json: boolean
}

async function serve(
  google: GoogleEmulator,
  output: Output,
  { io, interrupted }: { readonly io: Io; readonly interrupted: Promise<void> },
): Promise<void> {
  const { url, jwksUri, serviceAccount, env } = google
  const variables = Object.entries(env).map(
    ([name, value]) => `export ${name}=${shellQuoted(value)}`,
  )
  const file = output['write-env']
  const remove = file && (await writeWhole(file, variables.map((line) => `${line}\n`).join('')))
  if (output.json) printLines(io.stdout, [JSON.stringify({ url, jwksUri, serviceAccount, env })])
  else printLines(io.stdout, output.env ? variables : [...about(google), '', ...variables, ''])
  await interrupted
  if (remove) await remove()
}

function about({ url, jwksUri, serviceAccount }: GoogleEmulator): string[] {
  const identity = `${url}/computeMetadata/v1/instance/service-accounts/default/identity`
  return [
    `Google is at ${url}, as ${serviceAccount}. Ctrl-C ends it.`,
    `Its keys, for the option jwksUri: ${jwksUri}`,
    'A token of this account, with its email:',
    `  curl -H 'Metadata-Flavor: Google' '${identity}?format=full&audience=AUDIENCE'`,
    'A token of any other account:',
    `  npx ${COMMAND} token --emulator ${url} --email EMAIL --audience AUDIENCE`,
  ]
}

function requestLine({ method, path, status, audience }: LoggedRequest, json: boolean): string {
  const line = {
    method,
    path: oneLineText(path),
    status,
    audience: audience === undefined ? undefined : oneLineText(audience),
  }
  if (json) return JSON.stringify(line)
  return [method, line.path, status, line.audience].filter((part) => part !== undefined).join(' ')
}
