/**
 * Lets Node run the TypeScript of the tests: it blanks out the types, as Node itself does from
 * version 22.18 on (https://nodejs.org/api/typescript.html#type-stripping). Nothing is compiled, so
 * a test process starts at once, and every line and column is that of the source.
 */
import { register } from 'node:module'

if (!process.features.typescript) register('./strip-types-hooks.js', import.meta.url)
