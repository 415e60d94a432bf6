import { existsSync } from 'node:fs'
import { OUTCOMES } from '../../errors/outcomes.ts'
import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import { createVerifierCore, type VerifierCore } from '../../verifier/create-verifier.ts'
import type { RequestHeaders } from '../../request/request-like.ts'
import type { ExplainedCheck, Explanation } from '../../verifier/explain.ts'
import { entryOf as accountEntry } from '../account.ts'
import { ASSERTION, headerChoice, type HeaderChoice } from './header-choice.ts'
import { printJson, printLines, styleOn, UsageError, type Io } from '../io.ts'
import { printable } from '../quoted.ts'
import { textOf } from '../read-input.ts'
import { parsePresented, tokenIn, type Presented } from './request-head.ts'
import { claimsOf, type TokenClaims } from './token-times.ts'
import { defineVerb, type Values } from '../verb.ts'

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
    about: 'an entry of the list: an email, also of a person, or a unique id',
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
      [
        'pbpaste | npx fastify-google-id-token explain \\',
        '  --audience https://orders.example.com \\',
        '  --allowed-caller web@shop-prod.iam.gserviceaccount.com',
      ].join('\n'),
      [
        'curl -v -H "Authorization: Bearer $TOKEN" https://orders.example.com 2>&1 |',
        '  npx fastify-google-id-token explain --audience https://orders.example.com',
      ].join('\n'),
    ],
    exits: [
      'the token is good, and with --allowed-caller its caller is in the list',
      'it is refused, or not verified because its keys cannot be fetched',
    ],
  },
  async ({ values, operand }, io) => {
    const core = verifierFor(values, io)
    const presented = parsePresented(await inputOf(operand, io))
    const explanation = await core.verifier.explain(asked(presented))
    core.verifier.close()
    const answer = answerOf(presented, explanation, { core, now: io.now() })
    if (values.json) printJson(io, answer)
    else printLines(io.stdout, linesOf(answer, io))
    return explanation.accepted ? 0 : 1
  },
)

async function inputOf(operand: string | undefined, io: Io): Promise<string> {
  if (operand !== undefined && operand !== '-') {
    if (isFileName(operand)) {
      throw new UsageError(
        'The argument looks like the name of a file; accepted: a token, or - for standard input: explain - < FILE',
      )
    }
    return operand
  }
  if (io.stdin.isTTY === true) {
    throw new UsageError(
      'There is nothing on standard input: pipe in a token, or the headers of a request',
    )
  }
  return textOf(io)
}

/** Whether it is a path, or there is such a file. A JWT begins with eyJ: `{"`. */
function isFileName(text: string): boolean {
  if (/[\s:]|^eyJ/.test(text)) return false
  return text.includes('/') || existsSync(text)
}

function verifierFor(values: Values<typeof OPTIONS>, io: Io): VerifierCore {
  const allowedCallers = values['allowed-caller'].map(entryOf)
  const iapAudience = values['iap-audience']
  // After the start, nothing is printed about the keys: the answer says what happened to them.
  let atStart = true
  const core = createVerifierCore({
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
        if (atStart) printLines(io.stderr, [message])
      },
    },
  })
  atStart = false
  return core
}

/** A person too is named by the email alone, or as gcloud does. Nothing is let in by this list. */
function entryOf(text: string): AllowedCaller {
  if (text.startsWith('user:')) return { email: text.slice(5) }
  return accountEntry({ email: text, subject: '' }) ?? text
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
  const claims = token === undefined ? null : claimsOf(token, now)
  return {
    accepted,
    code,
    status: code === null ? null : OUTCOMES[code].status,
    header,
    why,
    token: claims,
    checks: checks.map(withOwnRemedy),
    caller: caller && { email: caller.email ?? null, subject: caller.subject },
    hint: code === NO_KEYS ? audienceHint(claims, header, core) : emailHint(caller, checks),
  }
}

const NO_KEYS = 'ID_TOKEN_KEYS_UNAVAILABLE'

/** Without a list, the check `caller` is not made, which would say that there is no email. */
function emailHint(
  caller: Explanation['caller'],
  checks: readonly ExplainedCheck[],
): string | null {
  const isListed = checks.some(({ check, result }) => check === 'caller' && result === 'pass')
  return caller !== null && caller.email === undefined && !isListed
    ? OUTCOMES.ID_TOKEN_CALLER_UNIDENTIFIED.remedy
    : null
}

/** Without keys, the audience is not checked. A wrong one would be refused even with keys. */
function audienceHint(
  claims: TokenClaims | null,
  header: string | null,
  { settings }: VerifierCore,
): string | null {
  const { audiences } = (header === ASSERTION ? settings.iap : null) ?? settings.defaultPolicy
  const aud = claims?.aud
  if (typeof aud !== 'string' || audiences.spellings.has(aud)) return null
  return `even with keys it would be refused: its audience is ${aud}, and accepted is ${shown(audiences.configured)}`
}

/** The remedy in the table is for the log of a service. */
function withOwnRemedy(check: ExplainedCheck): ExplainedCheck {
  if (check.code !== NO_KEYS) return check
  const remedy =
    'the keys cannot be fetched from this machine: found says why; --jwks-uri (of assertions of IAP: --iap-jwks-uri) names another endpoint'
  return { ...check, remedy }
}

function tokenOf(rawHeaders: readonly string[], name: string | null): string | undefined {
  const values = rawHeaders.filter(
    (_, i) => i % 2 === 1 && String(rawHeaders[i - 1]).toLowerCase() === name,
  )
  return values.map(tokenIn).at(0)
}

function linesOf(answer: Answer, io: Io): string[] {
  const { header, why, token, checks, hint } = answer
  const style = styleOn(io, io.stdout)
  return [
    `Header  ${header ?? 'none'}: ${why}`,
    ...(token === null ? [] : [`Token   ${tokenText(token)}`]),
    '',
    ...checks.flatMap((check) => checkLines(check, style)),
    '',
    ...outcomeLines(answer, style),
    ...(hint === null ? [] : [`But ${printable(hint)}`]),
  ]
}

function outcomeLines(answer: Answer, style: ReturnType<typeof styleOn>): string[] {
  const { code, status, caller, checks } = answer
  if (code === NO_KEYS) return [`${style('red', 'Not verified')}: there are no keys (${code})`]
  if (caller === null) {
    return [`${style('red', 'Refused')}: ${String(code)}, status ${String(status)}`]
  }
  if (checks.every(({ result }) => result === 'pass')) {
    return [`${style('green', 'Accepted')}: ${nameOf(caller)}`]
  }
  return [
    `${style('green', 'The token is good')}: ${nameOf(caller)}`,
    'No list was given, so it is not known whether this caller is let in: --allowed-caller CALLER',
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
