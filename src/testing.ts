/**
 * Develop and test without Google: an issuer of your own.
 *
 * @packageDocumentation
 */
export { createTestIssuer } from './testing/test-issuer.ts'
export type { TestIdToken, TestIssuer, TestIssuerOptions } from './testing/test-issuer.ts'
