import { GoogleAuth } from 'google-auth-library'
import type { ServiceClientOptions } from 'fastify-google-id-token/client'
import type { GoogleEmulator } from 'fastify-google-id-token/testing'

/** One kind of Google credentials, as `createServiceClient` takes it. */
export interface Kind {
  name: string
  /** Whose tokens they get. */
  email: string
  options: Pick<ServiceClientOptions, 'auth' | 'serviceAccount'>
}

/** Every kind there is, from the emulator, whose metadata server `google.env` has to name. */
export function kindsOfCredentials(
  google: GoogleEmulator,
  { login, person }: { login: string; person: string },
): Kind[] {
  // By their files these two ask Google itself.
  const clientOptions = { transporterOptions: { fetchImplementation: sendTo(google.url) } }
  const key = { ...google.serviceAccountKey(login) }
  const personsLogin = { ...google.authorizedUser(person, { honoursTargetAudience: true }) }

  const impersonated = { ...google.impersonatedCredentials(login) }
  const federated = { ...google.workloadIdentityConfig(login) }
  const withoutUrl = { ...google.workloadIdentityConfig(login, { impersonate: false }) }
  return [
    {
      name: 'metadata server',
      email: google.serviceAccount,
      options: { auth: new GoogleAuth() },
    },
    {
      name: 'service-account key',
      email: login,
      options: { auth: new GoogleAuth({ credentials: key, clientOptions }) },
    },
    {
      name: 'impersonation',
      email: login,
      options: { auth: new GoogleAuth({ credentials: impersonated }) },
    },
    {
      name: 'federation',
      email: login,
      options: { auth: new GoogleAuth({ credentials: federated }) },
    },
    {
      name: 'federation, no URL',
      email: login,
      options: {
        auth: new GoogleAuth({ credentials: withoutUrl }),
        serviceAccount: { email: login, endpoint: google.url },
      },
    },
    {
      name: "person's login",
      email: person,
      options: { auth: new GoogleAuth({ credentials: personsLogin, clientOptions }) },
    },
  ]
}

function sendTo(origin: string): typeof fetch {
  return (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input)
    return fetch(`${origin}${pathname}${search}`, init)
  }
}
