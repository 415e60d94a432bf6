import type * as GoogleAuthLibrary from 'google-auth-library'
import type { CredentialsFinder } from './parse-credentials.ts'
import { ServiceClientError } from './service-client-error.ts'

/**
 * Loads the library when it is needed: it is an optional peer and is slow to load.
 *
 * @throws ServiceClientError `SERVICE_CLIENT_LIBRARY_MISSING`
 */
export async function loadGoogleAuthLibrary(): Promise<typeof GoogleAuthLibrary> {
  try {
    return await import('google-auth-library')
  } catch (error) {
    // Node's error has a code. Errors of loaders and bundlers have the same text without a code.
    const { message } = error as Error
    if (!/^Cannot find (?:package|module)\b/.test(message)) throw error
    throw new ServiceClientError('SERVICE_CLIENT_LIBRARY_MISSING', { reason: message })
  }
}

let found: Promise<object> | undefined

/**
 * The application default credentials of this process. They are looked for when they are needed.
 */
export const applicationDefault: CredentialsFinder = {
  getClient() {
    found ??= find().catch((error: unknown) => {
      // A failure is not remembered: there may be credentials at the next call.
      found = undefined
      throw error
    })
    return found
  },
}

async function find(): Promise<object> {
  const { GoogleAuth } = await loadGoogleAuthLibrary()
  // Nothing here needs a project. To look for one, the library runs gcloud and asks the metadata
  // server; with federation it fails if the identity may not see the project.
  return new GoogleAuth({ projectId: 'not-needed' }).getClient()
}
