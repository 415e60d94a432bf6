import { isDeepStrictEqual } from 'node:util'
import type { GoogleIdTokenOptions, RouteAccess } from 'fastify-google-id-token'
import { startCloudRunFrontend, type GoogleEmulator } from 'fastify-google-id-token/testing'
import pino from 'pino'
import { CALLS, callAs, type Answer, type RolloutCall } from './callers.ts'
import { buildProfiles, type Lists } from './service.ts'

export const AUDIENCE = 'https://user-profiles-abc123-uc.a.run.app'
/** Each call is made more than once: a caller that is seen once is doubtful. */
const TIMES = 3

/** What `gcloud run services get-iam-policy --format=json` prints. */
export interface IamPolicy {
  bindings: { role: string; members: string[] }[]
}

/** One configuration of the service, and how the calls must come out. */
export interface Deployment {
  title: string
  guard: GoogleIdTokenOptions | null
  lists?: Lists
  policy: IamPolicy
  expected: (call: RolloutCall) => Seen
}

/** A call as its caller sees it, and as the audit log tells it. */
export interface Seen {
  answer: Answer
  /** The outcome in the audit log; `undefined` where no line names the caller. */
  audited?: string | undefined
}

/** One configuration of the service, and what became of the calls. */
export interface Stage {
  title: string
  rows: (Seen & { call: RolloutCall; asExpected: boolean })[]
}

/** What a stage leaves behind. */
export interface Deployed {
  stage: Stage
  log: string
  /** What `app.listAllowedCallers()` returns. */
  allowedCallers: readonly RouteAccess[]
}

/** Starts the service behind Cloud Run's front end, and lets all of them call it. */
export async function deploy(
  { title, guard, lists = {}, policy, expected }: Deployment,
  google: GoogleEmulator,
): Promise<Deployed> {
  let log = ''
  const destination = { write: (line: string) => void (log += line) }
  const app = await buildProfiles({ guard, lists, logger: pino({}, destination) })
  const cloudRun = await startCloudRunFrontend({
    target: await app.listen({ host: '127.0.0.1', port: 0 }),
    audience: AUDIENCE,
    invokers: policy.bindings.flatMap(({ members }) => members),
    jwksUri: google.jwksUri,
  })
  const answers = new Map<RolloutCall, Answer[]>()
  for (const call of CALLS) {
    answers.set(call, await callOften(call, { google, url: cloudRun.url, audience: AUDIENCE }))
  }
  const allowedCallers = guard === null ? [] : app.listAllowedCallers()
  await cloudRun.close()
  // It logs the numbers that are in no line yet.
  await app.close()
  const rows = [...answers].map(([call, all]) => {
    const [seen, ...others] = all.map((answer): Seen => {
      return { answer, audited: auditedIn(log, call) }
    }) as [Seen, ...Seen[]]
    const wanted = { audited: undefined, ...expected(call) }
    const asExpected = [seen, ...others].every((one) => isDeepStrictEqual(one, wanted))
    return { call, ...seen, asExpected }
  })
  return { stage: { title, rows }, log, allowedCallers }
}

async function callOften(
  call: RolloutCall,
  place: Parameters<typeof callAs>[1],
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let time = 0; time < TIMES; time += 1) answers.push(await callAs(call, place))
  return answers
}

interface AuditLine {
  method: string
  route: string
  outcome: string
  enforced: boolean
  caller: { email?: string } | null
}

/** The outcome, and whether the request was let in all the same. */
function auditedIn(log: string, { email, method, route }: RolloutCall): string | undefined {
  const lines = log.split('\n').filter((line) => line !== '')
  const found = lines
    .map((line) => (JSON.parse(line) as { idToken?: AuditLine }).idToken)
    .find((one) => one?.caller?.email === email && one.method === method && one.route === route)
  return found && (found.enforced ? found.outcome : `${found.outcome}, let in`)
}
