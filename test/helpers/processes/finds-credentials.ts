/** A process outside Google Cloud that looks for credentials, and tells what came of it. */
import { decodeJwt } from 'jose'
import { createServiceClient } from '../../../src/client.ts'

const [home = '', file = ''] = process.argv.slice(2)
Object.assign(process.env, {
  CLOUDSDK_CONFIG: home,
  GOOGLE_APPLICATION_CREDENTIALS: '',
  METADATA_SERVER_DETECTION: 'none',
  GOOGLE_CLOUD_PROJECT: '',
  GCLOUD_PROJECT: '',
})
const client = createServiceClient({ url: 'https://search.run.app' })
// What was not found once is looked for again.
await client.idToken().catch(() => undefined)
process.env.GOOGLE_APPLICATION_CREDENTIALS = file
try {
  process.stdout.write(JSON.stringify(decodeJwt(await client.idToken())))
} catch (error) {
  const { code, message, detail } = error as Record<string, unknown>
  process.stdout.write(JSON.stringify({ code, message, detail }))
}
