/**
 * A plugin of TypeDoc: the strings of a union come in alphabetical order.
 *
 * TypeScript keeps the members of a computed union (`keyof typeof OUTCOMES`) in the order in which it
 * first met each string anywhere in the program. Without this, a change of an unrelated file would
 * change the pages of the reference.
 */
import { Converter, makeRecursiveVisitor } from 'typedoc'

/** @param {import('typedoc').Application} app */
export function load(app) {
  const visitor = makeRecursiveVisitor({ union: sortStrings })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) reflection.type?.visit(visitor)
  })
}

/** @param {import('typedoc').UnionType} union */
function sortStrings({ types }) {
  if (types.every((type) => type.type === 'literal' && typeof type.value === 'string'))
    types.sort((a, b) => (a.value < b.value ? -1 : 1))
}
