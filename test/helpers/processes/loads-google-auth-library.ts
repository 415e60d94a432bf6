/** A process that tells when google-auth-library is loaded: at the import of an entry, or later. */
import { createRequire } from 'node:module'
import type * as ClientEntry from '../../../src/client.ts'

const [entry = '', metadataHost = ''] = process.argv.slice(2)
const { cache } = createRequire(import.meta.url)

const lines: string[] = []
function tell(when: string): void {
  const files = Object.keys(cache)
  lines.push(
    `${when}: ${files.some((file) => file.includes('google-auth-library')) ? 'yes' : 'no'}`,
  )
}

const exports = (await import(`../../../src/${entry}.ts`)) as typeof ClientEntry
tell('imported')
if (entry === 'client') {
  process.env.GCE_METADATA_HOST = metadataHost
  process.env.METADATA_SERVER_DETECTION = 'assume-present'
  const client = exports.createServiceClient({ url: 'https://search.run.app' })
  tell('made')
  await client.idToken()
  tell('called')
}
process.stdout.write(lines.join(', '))
