/** Judges with `Error` frozen, as `node --frozen-intrinsics` leaves it. */
import { createTestIssuer } from '../../src/testing.ts'

Object.freeze(Error)
const { createVerifier } = await import('../../src/index.ts')
const { jwks } = await createTestIssuer()
try {
  createVerifier({ audience: 'https://search.run.app', jwks }).verifySync('garbage')
} catch (error) {
  console.log((error as { code: string }).code)
}
