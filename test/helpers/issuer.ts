import { testOnlyKeys } from '../../fixtures/issuers.ts'
import { createTestIssuer } from '../../src/testing.ts'

/** A key that no fixture publishes. To make another costs more than most tests do with it. */
export const testKey = testOnlyKeys.testOnlyForeign

/** The issuer of tests that need but one. */
export const issuer = await createTestIssuer({ key: testKey })

/** An issuer whose key is another. */
export const otherIssuer = await createTestIssuer({ key: testOnlyKeys.testOnlyPublishedBefore })
