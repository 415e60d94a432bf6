import { devNull } from 'node:os'
import type { EmulatorState } from './emulator-state.ts'

/**
 * The environment variables with which a child process finds this metadata server, but no
 * credentials of the developer, no `gcloud` and no proxy.
 */
export function childEnvironment({ url, settings }: EmulatorState): Record<string, string> {
  const { host, hostname } = new URL(url)
  const noProxy = process.env.NO_PROXY ?? process.env.no_proxy ?? ''
  return {
    GCE_METADATA_HOST: host,
    // Python pings this address. If it is set, it takes precedence over the host.
    GCE_METADATA_IP: host,
    METADATA_SERVER_DETECTION: 'assume-present',
    // Without it, google-auth-library runs gcloud to find the project.
    GOOGLE_CLOUD_PROJECT: settings.projectId,
    GOOGLE_APPLICATION_CREDENTIALS: '',
    // The null device, so that the logins of gcloud are not found.
    CLOUDSDK_CONFIG: devNull,
    NO_PROXY: [noProxy, hostname].filter((one) => one !== '').join(','),
  }
}
