import t from 'tap'
import {
  blocks as guideBlocks,
  blocksIn,
  RECIPES,
  textOf,
  wholeProgram,
  withoutShownFiles,
} from '../../pages/blocks.ts'
import { REFERENCE } from '../../pages/tables.ts'
import { typeErrors } from './programs.ts'

t.test('the programs pass the type check of the project', (t) => {
  const programs = new Map<string, string>()
  const sources = [...REFERENCE, ...RECIPES].map((name) => ({
    name,
    blocks: blocksIn(withoutShownFiles(textOf(name))),
  }))
  for (const { name, blocks } of [{ name: 'guide', blocks: guideBlocks }, ...sources]) {
    for (const { language, file } of blocks) {
      if (language !== 'ts') continue
      // Compiled with a tsconfig of its own, in bundling.test.ts.
      if (file?.endsWith('.cts')) continue
      t.ok(file, `each block of ${name} says in a comment which file it is in`)
      const program = wholeProgram(file ?? '', blocks)
      programs.set(`${name.replaceAll('/', '-')}-${file ?? ''}`, program)
    }
  }
  t.ok(programs.size > 10)
  t.same(typeErrors(programs), [])
  t.end()
})
