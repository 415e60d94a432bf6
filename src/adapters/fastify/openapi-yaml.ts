/**
 * Writes JSON as YAML: one member a line, and every text as JSON has it, which is a double-quoted
 * text of YAML (https://yaml.org/spec/1.2.2/#12-overview-of-yaml).
 */
export function toYaml(value: unknown): string {
  // Without what JSON leaves out.
  return `${linesOf(JSON.parse(JSON.stringify(value))).join('\n')}\n`
}

function linesOf(value: unknown): string[] {
  if (!hasMembers(value)) return [JSON.stringify(value)]
  if (Array.isArray(value)) return value.flatMap((item: unknown) => listItem(linesOf(item)))
  return Object.entries(value).flatMap(([key, member]) => {
    const lines = linesOf(member)
    const name = `${JSON.stringify(key)}:`
    return hasMembers(member) ? [name, ...lines.map(indented)] : [`${name} ${lines.join('')}`]
  })
}

/** Empty lists and objects are written as `[]` and `{}`. */
function hasMembers(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function listItem(lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? `- ${line}` : indented(line)))
}

function indented(line: string): string {
  return `  ${line}`
}
