/** Every input that fuzzing has found worth keeping goes through its target once (`npm run fuzz`). */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { corpusOf, TARGETS, type FuzzTarget } from '../../fuzz/targets.ts'

for (const target of TARGETS) {
  t.test(`the kept inputs of ${target} break no promise`, async (t) => {
    const { fuzz } = (await import(`../../fuzz/targets/${target}.ts`)) as FuzzTarget
    const names = readdirSync(corpusOf(target))
    t.ok(names.length > 0, `${names.length} inputs`)
    for (const name of names) {
      try {
        await fuzz(readFileSync(`${corpusOf(target)}/${name}`))
      } catch (error) {
        t.error(error, name)
      }
    }
  })
}
