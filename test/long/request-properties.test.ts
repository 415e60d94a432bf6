import t from 'tap'
import { assertRequests } from '../helpers/assert-requests.ts'

t.setTimeout(600_000)

t.test('2,000 random services let in whom jose lets in, and answer what the table says', (t) =>
  assertRequests(t, 2000),
)
