import { COMMAND } from './command-name.ts'

/**
 * How a verb gets a package that it needs. npx runs from a folder of its own unless the project has
 * this package, and finds no package of the project there.
 */
export function installLine(needed: string, verb: string): string {
  return `Install both in your project: npm install --save-dev ${COMMAND} ${needed}. Without a project: npx -p ${COMMAND} -p ${needed} ${COMMAND} ${verb}`
}
