import { GoogleAuth } from 'google-auth-library'
import { createServiceClient } from 'fastify-google-id-token/client'
import type { GoogleEmulator } from 'fastify-google-id-token/testing'

/** Who calls, and what. */
export interface RolloutCall {
  /** Of a service account. */
  email: string
  method: 'GET' | 'POST'
  path: string
  /** As the service declares it. */
  route: string
  /** Of a request that is let in. */
  status: number
}

const profile = { method: 'GET', path: '/profiles/7', route: '/profiles/:id', status: 200 } as const

/** Three services of the shop, and one of somebody else: any Google customer can get a token. */
export const CALLS: readonly RolloutCall[] = [
  { email: 'login@shop-prod.iam.gserviceaccount.com', ...profile },
  { email: 'search@shop-prod.iam.gserviceaccount.com', ...profile },
  {
    email: 'signup@shop-prod.iam.gserviceaccount.com',
    method: 'POST',
    path: '/profiles',
    route: '/profiles',
    status: 201,
  },
  { email: 'crawler@elsewhere.iam.gserviceaccount.com', ...profile },
]

/** Whether a caller belongs to the shop. */
export function isOfShop({ email }: RolloutCall): boolean {
  return email.endsWith('@shop-prod.iam.gserviceaccount.com')
}

/** How a call came out for its caller. */
export interface Answer {
  status: number
  /** The code of the plugin's refusal, or `Google Frontend` where the IAM check refused. */
  refusedBy?: string
}

/** Calls as the service account: a client attaches the token. */
export async function callAs(
  { email, method, path }: RolloutCall,
  { google, url, audience }: { google: GoogleEmulator; url: string; audience: string },
): Promise<Answer> {
  const auth = new GoogleAuth({ credentials: { ...google.impersonatedCredentials(email) } })
  const client = createServiceClient({ url, audience, auth })
  try {
    const response = await client.fetch(path, { method, signal: AbortSignal.timeout(10_000) })
    const body = await response.text()
    const { status, headers } = response
    if (status < 400) return { status }
    const isPage = headers.get('content-type')?.startsWith('text/html') ?? false
    return {
      status,
      refusedBy: isPage ? 'Google Frontend' : (JSON.parse(body) as { code: string }).code,
    }
  } finally {
    client.close()
  }
}
