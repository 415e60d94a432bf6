/** The documented meaning of an entry. */
export function isNamedBy(entry: unknown, email: string, subject: string): boolean {
  if (typeof entry !== 'string') return (entry as { email: string }).email === email
  if (/^[0-9]+$/.test(entry)) return entry === subject
  if (!entry.startsWith('*')) return entry.replace(/^serviceAccount:/, '') === email
  const isAgent = /^(?:service|project|bq|p)-?[0-9]+[-@]/.test(email)
  return !isAgent && email.indexOf('@') >= 0 && email.slice(email.indexOf('@')) === entry.slice(1)
}
