import { isDeepStrictEqual } from 'node:util'
import { createServiceClient } from 'fastify-google-id-token/client'
import { kindsOfCredentials, type Kind } from './credentials.ts'
import { ruleOf, TWIN, type Outcome, type Rule } from './expected-outcomes.ts'
import { AUDIENCES, emailOf, type Shop } from './start-services.ts'

type IamCheck = Rule['iamCheck']

/** What came of a request through Cloud Run's front end. */
export interface Result {
  outcome: Outcome
  expected: Outcome
  asExpected: boolean
}

/** One way to call, with the IAM check on and off. */
export type Journey = { name: string } & Record<IamCheck, Result>

/** Journeys that show one thing. */
export interface Journeys {
  title: string
  rows: Journey[]
}

/** Calls user-profiles with every kind of credentials and every setting of `tokenHeaders`. */
export async function makeJourneys(shop: Shop): Promise<Journeys[]> {
  const kinds = kindsOf(shop)
  const made: Journeys[] = []
  for (const header of ['both', 'x-serverless-authorization', 'authorization'] as const) {
    const rows: Journey[] = []
    for (const kind of kinds) {
      const travel = (iamCheck: IamCheck): Promise<Result> =>
        result(
          call(shop.cloudRun[iamCheck], kind, { tokenHeaders: header }),
          expectedOf(header, iamCheck),
        )
      rows.push({ name: kind.name, on: await travel('on'), off: await travel('off') })
    }
    made.push({ title: `createServiceClient({ tokenHeaders: '${header}' })`, rows })
  }
  return made
}

/** Calls a service for a user, whose JWT is in Authorization: as login, whom alone it lets in. */
export async function makeJourneysForUser(shop: Shop): Promise<Journeys> {
  const rows: Journey[] = []
  const headers = { authorization: `Bearer ${shop.userToken}` }
  for (const kind of kindsOf(shop).filter(({ email }) => email === emailOf('login'))) {
    const travel = (iamCheck: IamCheck): Promise<Result> =>
      result(
        call(shop.twoIdentities[iamCheck], kind, { tokenHeaders: TWIN, headers }),
        ruleOf({ sent: TWIN, iamCheck, twinHeader: TWIN.twin }).outcome,
      )
    rows.push({ name: kind.name, on: await travel('on'), off: await travel('off') })
  }
  return {
    title: `createServiceClient({ tokenHeaders: { twin: '${TWIN.twin}' } }), Authorization is a user's`,
    rows,
  }
}

function kindsOf({ google }: Shop): Kind[] {
  return kindsOfCredentials(google, { login: emailOf('login'), person: 'dana@example.com' })
}

interface Sent {
  tokenHeaders: Rule['sent']
  /** Of the application. */
  headers?: Record<string, string>
}

async function call(
  url: string,
  { options }: Kind,
  { tokenHeaders, headers = {} }: Sent,
): Promise<Response> {
  const audience = AUDIENCES['user-profiles']
  const client = createServiceClient({ url, audience, tokenHeaders, ...options })
  try {
    return await client.fetch('/whoami', { headers, signal: AbortSignal.timeout(10_000) })
  } finally {
    client.close()
  }
}

/** What comes of this header at a service that looks for the twin in Authorization. */
export function expectedOf(sent: Rule['sent'], iamCheck: IamCheck): Outcome {
  return ruleOf({ sent, iamCheck, twinHeader: 'authorization' }).outcome
}

/** Reads the answer of the service, of the plugin or of the front end. */
export async function result(answer: Promise<Response>, expected: Outcome): Promise<Result> {
  const response = await answer
  const text = await response.text()
  const outcome = { status: response.status, ...(isPage(response) ? FRONT_END : facts(text)) }
  return { outcome, expected, asExpected: isDeepStrictEqual(outcome, expected) }
}

const FRONT_END = { server: 'Google Frontend' } as const

/** Only the front end answers with pages of HTML. */
function isPage({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/html') ?? false
}

/** What the service says of its caller, or why the plugin refused. */
function facts(text: string): Refusal | Admission {
  const body = JSON.parse(text) as Refusal | Admission
  return 'code' in body
    ? { code: body.code }
    : { header: body.header, signatureVerified: body.signatureVerified }
}

type Refusal = Required<Pick<Outcome, 'code'>>
type Admission = Required<Pick<Outcome, 'header' | 'signatureVerified'>>
