import { isDeepStrictEqual } from 'node:util'
import { createServiceClient } from 'fastify-google-id-token/client'
import { kindsOfCredentials, type Kind } from './credentials.ts'
import { RULES, type Outcome, type Rule } from './expected-outcomes.ts'
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
  const kinds = kindsOfCredentials(shop.google, {
    login: emailOf('login'),
    person: 'dana@example.com',
  })
  const made: Journeys[] = []
  for (const header of ['both', 'x-serverless-authorization', 'authorization'] as const) {
    const rows: Journey[] = []
    for (const kind of kinds) {
      const travel = (iamCheck: IamCheck): Promise<Result> =>
        result(call(shop, kind, { sent: header, iamCheck }), expectedOf(header, iamCheck))
      rows.push({ name: kind.name, on: await travel('on'), off: await travel('off') })
    }
    made.push({ title: `createServiceClient({ tokenHeaders: '${header}' })`, rows })
  }
  return made
}

async function call(
  { cloudRun }: Shop,
  { options }: Kind,
  { sent, iamCheck }: Pick<Rule, 'sent' | 'iamCheck'>,
): Promise<Response> {
  const client = createServiceClient({
    url: cloudRun[iamCheck],
    audience: AUDIENCES['user-profiles'],
    tokenHeaders: sent,
    ...options,
  })
  try {
    return await client.fetch('/whoami', { signal: AbortSignal.timeout(10_000) })
  } finally {
    client.close()
  }
}

/** Of the rule for this header. */
export function expectedOf(sent: Rule['sent'], iamCheck: IamCheck): Outcome {
  const rule = RULES.find((one) => one.sent === sent && one.iamCheck === iamCheck)
  if (rule === undefined) throw new Error(`No rule for ${sent} with the IAM check ${iamCheck}`)
  return rule.outcome
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
