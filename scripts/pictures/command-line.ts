/** What verbs of the command line print, as pictures of a terminal. */
import Fastify from 'fastify'
import googleIdToken from '../../src/index.ts'
import { GCLOUD_CLIENT } from '../../src/testing/emulator/users.ts'
import { createTestIssuer, startGoogleEmulator } from '../../src/testing.ts'
import { runVerb } from '../../test/helpers/command-line.ts'
import { terminalPicture } from './terminal.ts'

const COMMAND = 'npx fastify-google-id-token'
const AUDIENCE = 'https://user-profiles-abc123-uc.a.run.app'
const PROJECT = 'shop-prod'
const [login, search, signup] = ['login', 'search', 'signup'].map(
  (name) => `${name}@${PROJECT}.iam.gserviceaccount.com`,
) as [string, string, string]

/** A person has piped the token of their own gcloud login into `explain`. */
export async function explain(): Promise<string> {
  // The time is printed, so it is the same in each run.
  const now = Date.parse('2026-11-27T09:30:00Z')
  const google = await startGoogleEmulator({ clock: () => new Date(now - 60_000) })
  const token = await google.idToken({ email: 'dana@example.com', audience: GCLOUD_CLIENT })
  const options = ['--audience', AUDIENCE, '--allowed-caller', login]
  const { stdout } = await runVerb(['explain', ...options, '--jwks-uri', google.jwksUri], {
    stdin: token,
    terminals: ['stdout'],
    now: () => now,
  })
  await google.close()
  const command = [
    `gcloud auth print-identity-token | ${COMMAND} explain \\`,
    `    --audience ${AUDIENCE} \\`,
    `    --allowed-caller ${login}`,
  ]
  return pictureOf('explain', command, stdout)
}

/** `allow` reads the audit log of a service in report-only mode. */
export async function allow(): Promise<string> {
  const stdin = await auditLogOf([
    [38, 'GET', '/profiles/7', login],
    [4, 'GET', '/profiles/7', search],
    [2, 'GET', '/profiles/7', 'reports@partner-prod.iam.gserviceaccount.com'],
    [1, 'GET', '/profiles/7', 'dana@example.com'],
    [3, 'GET', '/profiles/7', null],
    [6, 'POST', '/profiles', signup],
  ])
  const { stdout } = await runVerb(['allow', '--project', PROJECT], {
    stdin,
    terminals: ['stdout'],
  })
  return pictureOf('allow', [`${COMMAND} allow --project ${PROJECT} < app.log`], stdout)
}

type Calls = readonly [count: number, method: 'GET' | 'POST', url: string, email: string | null]

/** What a service logs that gets these calls. */
async function auditLogOf(traffic: readonly Calls[]): Promise<string> {
  const { jwks, idToken } = await createTestIssuer()
  let log = ''
  const app = Fastify({ logger: { stream: { write: (line: string) => (log += line) } } })
  await app.register(googleIdToken, { audience: AUDIENCE, jwks, reportOnly: true, auditLog: true })
  app.get('/profiles/:id', () => 'ok')
  app.post('/profiles', () => 'ok')
  for (const [count, method, url, email] of traffic) {
    const headers =
      email === null
        ? {}
        : { authorization: `Bearer ${await idToken({ email, audience: AUDIENCE })}` }
    for (let i = 0; i < count; i += 1) await app.inject({ method, url, headers })
  }
  // What is counted is logged by now.
  await app.close()
  return log
}

const [GREEN, END] = ['\u001b[32m', '\u001b[39m']

function pictureOf(verb: string, command: readonly string[], stdout: string): string {
  const [first = '', ...rest] = command
  const prompt = [`${GREEN}$${END} ${first}`, ...rest].join('\n')
  return terminalPicture(`${COMMAND} ${verb}`, `${prompt}\n\n${stdout.trimEnd()}`)
}
