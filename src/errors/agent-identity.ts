/**
 * Agents on Google Cloud may have an identity of their own. The issuer of its tokens is not that of
 * service accounts' tokens, and `sub` is a `spiffe://` URI
 * (https://cloud.google.com/iam/docs/auth-agent-own-identity-external).
 */
const ISSUERS = 'https://sts.googleapis.com/v1/organizations/'

/** Whether a token with this `iss` is that of an agent identity. */
export function isAgentIdentity(iss: unknown): boolean {
  return typeof iss === 'string' && iss.startsWith(ISSUERS)
}
