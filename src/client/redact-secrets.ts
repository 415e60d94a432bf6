const LONGEST_SHOWN = 300
const LONGEST_READ = 4_096

const SECRETS: readonly RegExp[] = [
  /-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)/g,
  /\bBearer\s+\S+/gi,
  // Google's access and refresh tokens, and whatever begins as a JWT does.
  /\b(?:ya29\.|1\/\/|eyJ)[\w.~+/=-]*/g,
  // Subject tokens and signatures have no form of their own: what is long, or looks random.
  /[\w+~=-]{40,}/g,
  /(?=[\w+~=-]*\d)(?=[\w+~=-]*[a-z])(?=[\w+~=-]*[A-Z])[\w+~=-]{20,}/g,
]

/**
 * What somebody else said, as a log may show it: on one line, of bounded length, and without
 * anything that is, or may be, a token or a key.
 */
export function redactSecrets(text: string): string {
  let shown = text.slice(0, LONGEST_READ)
  for (const secret of SECRETS) shown = shown.replaceAll(secret, '[redacted]')
  shown = shown.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown
}
