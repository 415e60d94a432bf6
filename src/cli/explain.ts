import { OUTCOMES } from '../errors/outcomes.ts'
import type { AllowedCaller } from '../policy/allowed-callers.ts'
import { createVerifierCore, type VerifierCore } from '../verifier/create-verifier.ts'
import type { RequestHeaders } from '../request/request-like.ts'
import type { ExplainedCheck, Explanation } from '../verifier/explain.ts'
import { headerChoice, type HeaderChoice } from './header-choice.ts'
import { printJson, printLines, styleOn, type Io } from './io.ts'
import { printable } from './quoted.ts'
import { textOf } from './read-input.ts'
import { parsePresented, tokenIn, type Presented } from './request-head.ts'
import { claimsOf, type TokenClaims } from './token-times.ts'
import { defineVerb, type Values } from './verb.ts'

const OPTIONS = {
  audience: {
    type: 'string',
    multiple: true,
    required: true,
    value: 'AUDIENCE',
    about: 'the URLs of the service and its custom audiences',
  },
  'allowed-caller': {
    type: 'string',
    multiple: true,
    value: 'CALLER',
    about: 'an entry of the list: an email, a unique id; for a person user:EMAIL',
  },
  'jwks-uri': { type: 'string', value: 'URL', about: "where the keys are; default: Google's" },
  'iap-audience': {
    type: 'string',
    multiple: true,
    value: 'AUDIENCE',
    about: 'what Identity-Aware Proxy protects: its assertions are read too',
  },
  'iap-jwks-uri': { type: 'string', value: 'URL', about: "where its keys are; default: Google's" },
  'twin-header': {
    type: 'string',
    value: 'NAME',
    about: 'the header with the intact copy of a stripped token; default authorization',
  },
} as const

/** Why a token, or a request, is accepted or refused. */
export const explain = defineVerb(
  {
    name: 'explain',
    operand: '[TOKEN|-]',
    summary: 'tells check by check why a token or a request is accepted or refused',
    about: [
      'Takes a token, a line with a header, a whole request head, or what curl -v prints; with headers, the choice of the header is explained too. Standard input is better than an argument, which the history of the shell keeps. The token is sent nowhere, and neither it nor its signature is printed.',
    ],
    options: OPTIONS,
    examples: [
      'pbpaste | npx fastify-google-id-token explain --audience https://orders.example.com',
      'curl -v -H "Authorization: Bearer $TOKEN" https://orders.example.com 2>&1 | npx fastify-google-id-token explain - --audience https://orders.example.com --allowed-caller web@shop-prod.iam.gserviceaccount.com',
    ],
    exits: ['the token is accepted', 'it is refused, or its keys cannot be fetched'],
  },
  async ({ values, operand }, io) => {
    const core = verifierFor(values, io)
    const presented = parsePresented(
      operand === undefined || operand === '-' ? await textOf(io) : operand,
    )
    const explanation = await core.verifier.explain(asked(presented))
    core.verifier.close()
    const answer = answerOf(presented, explanation, { core, now: io.now() })
    if (values.json) printJson(io, answer)
    else printLines(io.stdout, linesOf(answer, io))
    return explanation.accepted ? 0 : 1
  },
)

function verifierFor(values: Values<typeof OPTIONS>, io: Io): VerifierCore {
  const allowedCallers = values['allowed-caller'].map(entryOf)
  const iapAudience = values['iap-audience']
  return createVerifierCore({
    audience: values.audience,
    ...(allowedCallers.length > 0 && { allowedCallers }),
    jwksUri: values['jwks-uri'],
    ...(iapAudience.length > 0 && {
      iap: { audience: iapAudience, jwksUri: values['iap-jwks-uri'] },
    }),
    twinHeader: values['twin-header'],
    clock: () => new Date(io.now()),
    logger: {
      warn: (_, message) => {
        printLines(io.stderr, [message])
      },
    },
  })
}

/** As gcloud spells a person. */
function entryOf(text: string): AllowedCaller {
  return text.startsWith('user:') ? { email: text.slice(5) } : text
}

function asked(presented: Presented): string | RequestHeaders {
  return 'token' in presented ? presented.token : { headers: {}, rawHeaders: presented.rawHeaders }
}

/** What is printed. */
interface Answer extends Pick<Explanation, 'accepted' | 'code' | 'checks'>, HeaderChoice {
  readonly status: number | null
  readonly token: TokenClaims | null
  readonly caller: { readonly email: string | null; readonly subject: string } | null
  readonly hint: string | null
}

function answerOf(
  presented: Presented,
  { accepted, code, checks, caller }: Explanation,
  { core, now }: { readonly core: VerifierCore; readonly now: number },
): Answer {
  const decides =
    'token' in presented
      ? null
      : core.decidingHeaderOf({ headers: {}, rawHeaders: presented.rawHeaders })
  const { header, why } = headerChoice(presented, decides, core.settings.twinHeader)
  const token = 'token' in presented ? presented.token : tokenOf(presented.rawHeaders, decides)
  return {
    accepted,
    code,
    status: code === null ? null : OUTCOMES[code].status,
    header,
    why,
    token: token === undefined ? null : claimsOf(token, now),
    checks,
    caller: caller && { email: caller.email ?? null, subject: caller.subject },
    // Without a list, the check that would say so is not made.
    hint:
      caller !== null && caller.email === undefined
        ? OUTCOMES.ID_TOKEN_CALLER_UNIDENTIFIED.remedy
        : null,
  }
}

function tokenOf(rawHeaders: readonly string[], name: string | null): string | undefined {
  const values = rawHeaders.filter(
    (_, i) => i % 2 === 1 && String(rawHeaders[i - 1]).toLowerCase() === name,
  )
  return values.map(tokenIn).at(0)
}

function linesOf(answer: Answer, io: Io): string[] {
  const { code, status, header, why, token, checks, caller, hint } = answer
  const style = styleOn(io, io.stdout)
  return [
    `Header  ${header ?? 'none'}: ${why}`,
    ...(token === null ? [] : [`Token   ${tokenText(token)}`]),
    '',
    ...checks.flatMap((check) => checkLines(check, style)),
    '',
    caller === null
      ? `${style('red', 'Refused')}: ${String(code)}, status ${String(status)}`
      : `${style('green', 'Accepted')}: ${nameOf(caller)}`,
    ...(hint === null ? [] : [`But ${hint}`]),
  ]
}

function nameOf({ email, subject }: NonNullable<Answer['caller']>): string {
  return email === null
    ? `unique id ${printable(subject)}, without a verified email`
    : printable(`${email} (${subject})`)
}

function tokenText({ iss, aud, sub, email, times }: TokenClaims): string {
  const said = Object.entries({ iss, aud, email, sub }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${shown(value)}`],
  )
  return [...said, ...times].join(', ')
}

function checkLines(check: ExplainedCheck, style: ReturnType<typeof styleOn>): string[] {
  const { result, expected, found, remedy } = check
  if (result === 'pass') return [`${style('green', 'pass')}         ${check.check}`]
  if (result === 'not reached') return [style('dim', `not reached  ${check.check}`)]
  return [
    `${style('red', 'FAIL')}         ${check.check}`,
    ...Object.entries({ expected, found, remedy }).flatMap(([name, value]) =>
      value === undefined ? [] : [`             ${name.padEnd(8)} ${shown(value)}`],
    ),
  ]
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(', ')
  return printable(typeof value === 'string' ? value : JSON.stringify(value))
}
