import { createServiceClient } from 'fastify-google-id-token/client'

const {
  PROFILES_URL: url = 'https://user-profiles-abc123-uc.a.run.app',
  PROFILES_AUDIENCE: audience,
  SERVICE_ACCOUNT: serviceAccount,
} = process.env

// The credentials are those of the file that GOOGLE_APPLICATION_CREDENTIALS names. SERVICE_ACCOUNT is
// needed only where that file names no account.
const profiles = createServiceClient({ url, audience, serviceAccount })
const response = await profiles.fetch('/profiles/42', { signal: AbortSignal.timeout(10_000) })
console.log(response.status, await response.text())
process.exitCode = response.ok ? 0 : 1
profiles.close()
