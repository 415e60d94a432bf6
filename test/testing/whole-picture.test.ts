import t from 'tap'
import { testWholePicture } from '../helpers/whole-picture.ts'

t.test('google-auth-library 10', testWholePicture)
