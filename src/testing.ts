/**
 * Develop and test without Google: a test issuer, Google on loopback, and Cloud Run's front end.
 *
 * @module fastify-google-id-token/testing
 */
export { startCloudRunFrontend } from './testing/cloud-run/start-frontend.ts'
export { startGoogleEmulator } from './testing/emulator/start-emulator.ts'
export { createTestIssuer } from './testing/issuer/test-issuer.ts'
export type { CloudRunFrontendOptions } from './testing/cloud-run/frontend-options.ts'
export type { IapFrontendOptions } from './testing/cloud-run/iap-frontend-options.ts'
export type { CloudRunFrontend } from './testing/cloud-run/start-frontend.ts'
export type {
  AuthorizedUser,
  AuthorizedUserOptions,
  ImpersonatedCredentials,
  ServiceAccountKeyFile,
  WorkloadIdentityConfig,
  WorkloadIdentityOptions,
} from './testing/emulator/credential-files.ts'
export type { GoogleEmulatorOptions } from './testing/emulator/emulator-options.ts'
export type { EndpointName, FaultyEndpoint } from './testing/emulator/endpoint-names.ts'
export type { Fault } from './testing/emulator/fault.ts'
export type { LoggedRequest } from './testing/emulator/logged-request.ts'
export type { GoogleEmulator } from './testing/emulator/google-emulator.ts'
export type { CloudSchedulerPush } from './testing/push/cloud-scheduler.ts'
export type { CloudTasksPush } from './testing/push/cloud-tasks.ts'
export type { EventarcPush } from './testing/push/eventarc.ts'
export type { HttpMethod, HttpTargetPush } from './testing/push/http-target.ts'
export type { PubsubPush } from './testing/push/pubsub.ts'
export type { PushOptions } from './testing/push/push-options.ts'
export type { PushSenders } from './testing/push/push-senders.ts'
export type { TestIssuer } from './testing/issuer/test-issuer.ts'
export type {
  TestIapAssertion,
  TestIdToken,
  TestIssuerOptions,
} from './testing/issuer/test-issuer-options.ts'
