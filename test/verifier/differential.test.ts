import t from 'tap'
import { compareWithJose } from '../helpers/compare-with-jose.ts'

t.test('500 random tokens get the same outcome from jose', (t) => compareWithJose(t, 500))
