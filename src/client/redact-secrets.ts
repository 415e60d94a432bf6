import { withoutNamedSecrets } from './named-secrets.ts'

const LONGEST_SHOWN = 300
const LONGEST_READ = 4_096
const REDACTED = '[redacted]'

/**
 * The text of another program, as a log may show it: on one line, of bounded length, and without
 * anything that is, or may be, a token or a key.
 *
 * Every expression here takes linear time: it has only one way to match the same characters.
 */
export function redactSecrets(text: string): string {
  const shown = [
    onOneLine,
    withoutKeys,
    withoutQueries,
    withoutNamedSecrets,
    withoutTokens,
    withoutHex,
    withoutRandom,
  ].reduce((rest, step) => step(rest), beginningOf(text))
  // The cut may split a character.
  return shown.length > LONGEST_SHOWN
    ? `${shown.slice(0, LONGEST_SHOWN).replace(/\p{Cs}$/u, '')}…`
    : shown
}

/**
 * The part of the text that is read. A word that continues after it is left out, because half a
 * secret does not look like a secret.
 */
function beginningOf(text: string): string {
  if (text.length <= LONGEST_READ) return text
  let end = LONGEST_READ
  while (end > 0 && !/[\s,;&"'{}()<>[\]]/.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

function onOneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').trim()
}

/** PEM (RFC 7468). */
function withoutKeys(text: string): string {
  return text.replaceAll(/-----BEGIN.*?(?:-----END[^-]*-----|$)/g, REDACTED)
}

/** Of URLs, only scheme, host and path are shown. */
function withoutQueries(text: string): string {
  return text.replaceAll(/[^\s"'`<>]+/g, (word) => {
    const url = word.replaceAll(/:\/\/[^/?#]*@/g, '://')
    const end = url.search(isUrl(url) ? /[?#]/ : /\?/)
    if (end === -1 || (!isUrl(url) && !url.includes('=', end))) return url
    return `${url.slice(0, end + 1)}${REDACTED}`
  })
}

function isUrl(word: string): boolean {
  return word.includes('://') || word.startsWith('/')
}

/**
 * Secrets that are recognised by their beginning: JWTs, and Google's tokens, codes, keys and client
 * secrets.
 */
const TOKENS =
  /(?<![a-z0-9])(?:ya29\.|eyJ|AIza|GOCSPX-)[\w.~+/=%-]*|(?<![\w./])(?:1\/\/|4\/0A)[\w.~+/=%-]*/gi

function withoutTokens(text: string): string {
  return text.replaceAll(TOKENS, REDACTED)
}

/** Keys, digests and UUIDs. A number of some 20 digits is the unique id of an account. */
function withoutHex(text: string): string {
  return text.replaceAll(/[\da-f-]{20,}/gi, (run) => {
    const digits = run.replaceAll('-', '')
    const isHex = digits.length >= 20 && /\d/.test(digits) && /[a-f]/i.test(digits)
    return isHex || digits.length >= 32 ? REDACTED : run
  })
}

/**
 * Other secrets have no known form: anything long or random-looking counts as one. The host
 * of a URL does not count.
 */
function withoutRandom(text: string): string {
  return text.replaceAll(/(?<=:\/\/)[\w.-]+|[\w+~=%-]{20,}/g, (run, offset: number) =>
    text.startsWith('://', offset - 3) || !looksRandom(run) ? run : REDACTED,
  )
}

function looksRandom(run: string): boolean {
  // The name of an environment variable.
  if (/^[A-Z]+(?:_[A-Z]+)+$/.test(run)) return false
  return run.length >= 40 || [/\d/, /[a-z]/, /[A-Z]/].every((kind) => kind.test(run))
}
