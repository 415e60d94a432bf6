import t from 'tap'
import { assertOptions } from '../helpers/option-properties.ts'

t.test('100 random options and policies are good, or the documented error', (t) =>
  assertOptions(t, 100),
)
