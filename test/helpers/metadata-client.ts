/** Clients that get their tokens from a metadata server. */
import { Compute } from 'google-auth-library'
import type { Test } from 'tap'
import {
  createServiceClient,
  type ServiceClient,
  type ServiceClientOptions,
} from '../../src/client.ts'
import { startGoogle, type GoogleServer } from './google-server.ts'

/** The metadata server of this process, and what asks it. */
export async function startMetadata(t: Test, clock?: () => Date): Promise<GoogleServer> {
  const google = await startGoogle(t, clock)
  process.env.GCE_METADATA_HOST = google.host
  return google
}

/** A client whose tokens no other test shares. */
export function client(options: Partial<ServiceClientOptions> & { url: string }): ServiceClient {
  return createServiceClient({ auth: new Compute(), ...options })
}
