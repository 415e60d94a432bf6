/** A process outside Google Cloud that looks for credentials. */
import { createServiceClient } from '../../src/client.ts'

const [home = '', file = ''] = process.argv.slice(2)
Object.assign(process.env, {
  CLOUDSDK_CONFIG: home,
  GOOGLE_APPLICATION_CREDENTIALS: file,
  METADATA_SERVER_DETECTION: 'none',
})
const client = createServiceClient({ url: 'https://search.run.app' })
for (const last of [false, true]) {
  try {
    await client.idToken()
  } catch (error) {
    const { code, message, detail } = error as Record<string, unknown>
    if (last) process.stdout.write(JSON.stringify({ code, message, detail }))
  }
}
