/** The rules of fetching under stress, as test/keys/soak.test.ts has them, for longer and oftener. */
import {
  testRecoveries,
  testReturnOfMany,
  testRotations,
  type Extent,
} from '../helpers/key-outages.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

const extent: Extent = {
  seeds: [1, 2, 3],
  rotating: 10 * MINUTE,
  outages: [SECOND, 10 * SECOND, MINUTE, 10 * MINUTE],
  instances: 25,
}
testRotations(extent)
testRecoveries(extent)
testReturnOfMany()
