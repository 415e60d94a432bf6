/** Writes the pictures of `docs/`, each from a run of what it shows. Run it with `npm run picture`. */
import { writeFileSync } from 'node:fs'
import { PICTURES } from './pictures/pictures.ts'
import { start } from './pictures/start.ts'

const DOCS = new URL('../docs/', import.meta.url)

writeFileSync(new URL('start.svg', DOCS), start())
for (const [file, make] of Object.entries(PICTURES)) {
  writeFileSync(new URL(file, DOCS), await make())
}
