import t from 'tap'
import { assertRequests } from '../helpers/assert-requests.ts'

t.test('40 random services let in whom jose lets in, and answer what the table says', (t) =>
  assertRequests(t, 40),
)
