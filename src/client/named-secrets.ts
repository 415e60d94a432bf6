/**
 * Secrets without a known form, which are recognised by the word before them: `client_secret=…`,
 * `"password": "…"`, `Authorization: Bearer …`, `access_token …`.
 */

/** After these words there is a secret, with any separator between. */
const ALWAYS = [
  'access_key',
  'access_token',
  'actor_token',
  'api_key',
  'assertion',
  'auth_token',
  'authorization',
  'bearer',
  'client_assertion',
  'client_secret',
  'code_verifier',
  'id_token',
  'passphrase',
  'passwd',
  'password',
  'private_key',
  'pwd',
  'refresh_token',
  'secret_key',
  'security_token',
  'session_token',
  'subject_token',
]

/** These words also occur in ordinary sentences. They announce a secret only before `=` or `:`. */
const ASSIGNED = [
  'cookie',
  'credential',
  'credentials',
  'jwt',
  'secret',
  'sig',
  'signature',
  'token',
]

/** Words that may follow one of those in a sentence and are no secret. */
const PLAIN = new Set(
  `a already also an and are as at audience auth authentication bad be because been but by can cannot
  changed claim claims code could credential credentials deleted denied did disabled do does empty
  endpoint error errors exceeded exchange expected expired expires expiry failed fails failure field
  fields file flow for format found from given grant had has have header headers id if in incorrect
  invalid is issued issuer it its key keys length malformed may mismatch missing must name no none not
  null of on only or param parameter parameters path pending permission provided realm refused
  rejected request requested required requires response returned returns revoked scheme server service
  should signature size specified still subject supported than that the this to token tokens too type
  types undefined unknown unsupported unused used uses valid value values was were when where which
  will with without would wrong yet`.split(/\s+/),
)

/** After these words a secret may still follow: `the password is hunter2`. */
const FILLERS = new Set(['is', 'was', 'are', 'value'])

const SCHEMES = new Set(['basic', 'bearer', 'dpop', 'token'])

const REDACTED = '[redacted]'

interface Range {
  readonly start: number
  readonly end: number
}

/** The text without the secrets that such words announce. The text is on one line. */
export function withoutNamedSecrets(text: string): string {
  const names = /[\w-]+/g
  let shown = ''
  let shownUntil = 0
  for (let name = names.exec(text); name !== null; name = names.exec(text)) {
    const secret = secretAfter(text, names.lastIndex, wordOf(name[0]))
    if (secret === null) continue
    shown += `${text.slice(shownUntil, secret.start)}${REDACTED}`
    shownUntil = secret.end
    names.lastIndex = secret.end
  }
  return shown + text.slice(shownUntil)
}

function wordOf(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

function secretAfter(text: string, position: number, name: string): Range | null {
  const always = isOneOf(ALWAYS, name)
  if (!always && !isOneOf(ASSIGNED, name)) return null
  const between = matchAt(/[\\"'`]*\s*(?:=>|[=:>])?[\s[(]*/y, text, position)
  const assigned = /[=:>]/.test(between)
  if (!assigned && !(always && between !== '')) return null
  const start = position + between.length
  if (name.endsWith('cookie')) return { start, end: text.length }
  return quoted(text, start) ?? unquoted(text, start, assigned && !/[:]\s/.test(between))
}

/**
 * Names may have several parts (`X-Goog-Api-Key`), or be in camel case. The name of an error
 * (`invalid_token`) is none of them.
 */
function isOneOf(list: readonly string[], name: string): boolean {
  if (/^(?:invalid|missing|expired|unsupported)_/.test(name)) return false
  return list.some(
    (one) => name === one || name.endsWith(`_${one}`) || name === one.replaceAll('_', ''),
  )
}

/** The text between quotes, which may be escaped, or up to the end. */
function quoted(text: string, start: number): Range | null {
  const opening = matchAt(/\\*["'`]/y, text, start)
  if (opening === '') return null
  const inside = start + opening.length
  let end = text.indexOf(opening, inside)
  // A quote inside the secret, with a backslash before it.
  while (opening.length === 1 && end > inside && text.charAt(end - 1) === '\\') {
    end = text.indexOf(opening, end + 1)
  }
  return { start: inside, end: end === -1 ? text.length : end }
}

/** @param literal - what follows is the secret, even if it is an ordinary word */
function unquoted(text: string, position: number, literal: boolean): Range | null {
  let start = position
  let word = wordAt(text, start)
  while (FILLERS.has(word) && !literal) {
    start += word.length
    start += matchAt(/[\s:=]*/y, text, start).length
    word = wordAt(text, start)
  }
  if (SCHEMES.has(word)) {
    const scheme = matchAt(/\w+\s+/y, text, start)
    const token = start + scheme.length
    if (scheme !== '' && !PLAIN.has(wordAt(text, token))) {
      return rangeOf(text, token, /[^\s"'`]+/y)
    }
  }
  if (!literal && PLAIN.has(word)) return null
  return rangeOf(text, start, /[^\s,;&"'`<>)\]}]+/y)
}

function wordAt(text: string, position: number): string {
  return matchAt(/[a-z]+(?![\w-])/iy, text, position).toLowerCase()
}

function rangeOf(text: string, start: number, value: RegExp): Range | null {
  const { length } = matchAt(value, text, start)
  return length === 0 ? null : { start, end: start + length }
}

/** @param pattern - a sticky one */
function matchAt(pattern: RegExp, text: string, position: number): string {
  pattern.lastIndex = position
  return pattern.exec(text)?.[0] ?? ''
}
