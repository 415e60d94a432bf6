import t from 'tap'
import { compareWithJose } from '../helpers/compare-with-jose.ts'

t.test('1,500 random tokens get the same outcome from jose', (t) => compareWithJose(t, 1_500))
