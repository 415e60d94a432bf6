import { devNull } from 'node:os'
import type { EmulatedGoogle } from './emulated-google.ts'

/**
 * What a child process needs in its environment to find this metadata server, and nothing else: no
 * credentials of the developer, no `gcloud`, no proxy.
 */
export function childEnvironment({ url, settings }: EmulatedGoogle): Record<string, string> {
  const { host, hostname } = new URL(url)
  const noProxy = process.env.NO_PROXY ?? process.env.no_proxy ?? ''
  return {
    GCE_METADATA_HOST: host,
    // What Python pings, and what wins over the host where it is set.
    GCE_METADATA_IP: host,
    METADATA_SERVER_DETECTION: 'assume-present',
    // google-auth-library runs gcloud to find it out.
    GOOGLE_CLOUD_PROJECT: settings.projectId,
    GOOGLE_APPLICATION_CREDENTIALS: '',
    // Nothing is in it, so the logins of gcloud are not found.
    CLOUDSDK_CONFIG: devNull,
    NO_PROXY: [noProxy, hostname].filter((one) => one !== '').join(','),
  }
}
