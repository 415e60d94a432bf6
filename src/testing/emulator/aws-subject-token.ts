/**
 * The subject token of a workload on AWS: a request for `GetCallerIdentity`, signed with the keys of the
 * workload. Google sends it to AWS, which says who has signed it.
 *
 * @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
import { jsonObject } from './request-parameters.ts'

/** The type of these subject tokens. */
export const AWS_SUBJECT_TOKEN_TYPE = 'urn:ietf:params:aws:token-type:aws4_request'

/** Where a client would send the request, in a credential file; `{region}` is its region. */
export const AWS_VERIFICATION_URL =
  'https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15'

const GET_CALLER_IDENTITY =
  /^https:\/\/sts(?:\.[a-z\d-]+)?\.amazonaws\.com\/?\?Action=GetCallerIdentity&Version=2011-06-15$/
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const SIGNATURE = /^AWS4-HMAC-SHA256 Credential=(\w+)\/\d{8}\/[a-z\d-]+\/sts\/aws4_request, /
const ACCOUNT = '123456789012'

/**
 * The ARN of the caller that has signed the request. AWS knows the owner of an access key; here the
 * owner is a user whose name is the id of the key.
 *
 * The signature is not verified: that needs the secret key, which only AWS has.
 *
 * @param audience - the provider that the request must name, so that nobody else can use it
 * @returns `null` if it is no such request
 */
export function awsCallerOf(subjectToken: string, audience: string): string | null {
  const { url, method, headers } = jsonObject(decoded(subjectToken)) ?? {}
  const sent = headersOf(headers)
  const accessKey = SIGNATURE.exec(sent.get('authorization') ?? '')?.[1]
  const isComplete =
    method === 'POST' &&
    GET_CALLER_IDENTITY.test(String(url)) &&
    sent.has('x-amz-date') &&
    sent.get('x-goog-cloud-target-resource') === audience
  return isComplete && accessKey !== undefined ? `arn:aws:iam::${ACCOUNT}:user/${accessKey}` : null
}

/** The token is percent-encoded before it becomes a parameter of a form. */
function decoded(subjectToken: string): string {
  try {
    return decodeURIComponent(subjectToken)
  } catch {
    return ''
  }
}

/** A list of `{ key, value }`, by names in lower case. */
function headersOf(list: unknown): ReadonlyMap<string, string> {
  const headers: unknown[] = Array.isArray(list) ? list : []
  return new Map(
    headers.map((header) => {
      const { key, value } = Object(header) as { key?: unknown; value?: unknown }
      return [String(key).toLowerCase(), String(value)]
    }),
  )
}
