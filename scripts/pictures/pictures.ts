import { allow, explain } from './command-line.ts'
import { decisionTable } from './decision-table.ts'
import { twoHeaders } from './two-headers.ts'

/** How the pictures of `docs/` are made that need no process of their own, by file. */
export const PICTURES: Readonly<Record<string, () => string | Promise<string>>> = {
  'allow.svg': allow,
  'explain.svg': explain,
  'two-headers.svg': twoHeaders,
  'what-to-configure.svg': decisionTable,
}
