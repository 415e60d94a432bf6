import type * as GoogleAuthLibrary from 'google-auth-library'
import type { CredentialsFinder } from './credentials.ts'
import { ServiceClientError } from './service-client-error.ts'

/**
 * The library, loaded when it is needed: it is an optional peer, and takes a while to load.
 *
 * @throws ServiceClientError `SERVICE_CLIENT_LIBRARY_MISSING`
 */
export async function loadGoogleAuthLibrary(): Promise<typeof GoogleAuthLibrary> {
  try {
    return await import('google-auth-library')
  } catch (error) {
    // Node gives a code, and loaders and bundlers say it in the same words without one.
    const { message } = error as Error
    if (!/^Cannot find (?:package|module)\b/.test(message)) throw error
    throw new ServiceClientError('SERVICE_CLIENT_LIBRARY_MISSING', { reason: message })
  }
}

let found: Promise<object> | undefined

/** The application default credentials of this process, looked for once they are needed. */
export const applicationDefault: CredentialsFinder = {
  getClient() {
    found ??= find().catch((error: unknown) => {
      // The library would remember for ever that there are none.
      found = undefined
      throw error
    })
    return found
  },
}

async function find(): Promise<object> {
  const { GoogleAuth } = await loadGoogleAuthLibrary()
  // Nothing here needs a project. Looking for one runs gcloud, asks the metadata server, and with
  // federation fails where the identity may not see the project.
  return new GoogleAuth({ projectId: 'not-needed' }).getClient()
}
