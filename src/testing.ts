/**
 * Develop and test without Google: an issuer of your own, and Google on loopback.
 *
 * @packageDocumentation
 */
export { startGoogleEmulator } from './testing/emulator/start-emulator.ts'
export { createTestIssuer } from './testing/test-issuer.ts'
export type {
  AuthorizedUser,
  AuthorizedUserOptions,
  ImpersonatedCredentials,
  ServiceAccountKeyFile,
  WorkloadIdentityConfig,
  WorkloadIdentityOptions,
} from './testing/emulator/credentials.ts'
export type { GoogleEmulatorOptions } from './testing/emulator/emulator-options.ts'
export type { EndpointName, FaultyEndpoint } from './testing/emulator/endpoints.ts'
export type { Fault } from './testing/emulator/faults.ts'
export type { LoggedRequest } from './testing/emulator/request-log.ts'
export type { GoogleEmulator } from './testing/emulator/start-emulator.ts'
export type { TestIdToken, TestIssuer, TestIssuerOptions } from './testing/test-issuer.ts'
