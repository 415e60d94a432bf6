// ESLint 10 reads flat config only; the rules live in .eslintrc.cjs, and this feeds them to it.
import { createRequire } from 'node:module'
import { FlatCompat } from '@eslint/eslintrc'
import js from '@eslint/js'

const { ignorePatterns, ...rules } = createRequire(import.meta.url)('./.eslintrc.cjs')
const compat = new FlatCompat({
  baseDirectory: import.meta.dirname,
  recommendedConfig: js.configs.recommended,
})

export default [{ ignores: ignorePatterns }, ...compat.config(rules)]
