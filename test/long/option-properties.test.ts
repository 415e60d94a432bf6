import t from 'tap'
import { assertOptions } from '../helpers/option-properties.ts'

t.setTimeout(600_000)

t.test('3,000 random options and policies are good, or the documented error', (t) =>
  assertOptions(t, 3_000),
)
