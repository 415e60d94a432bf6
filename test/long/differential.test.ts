import t from 'tap'
import { compareWithJose } from '../helpers/compare-with-jose.ts'

t.setTimeout(600_000)

t.test('100,000 random tokens get the same outcome from jose', (t) => compareWithJose(t, 100_000))
