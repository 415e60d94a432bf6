/**
 * Why reading only the own enumerable members of an object is not enough; `null` if it is enough.
 *
 * For example, they do not include a list in a getter of a class. The object would be read as `{}`,
 * and the default list would let in other callers than its author meant.
 */
export function unreadableMembers(value: object): string | null {
  if (!hasPlainPrototype(value)) return 'has a prototype of its own'
  const [symbol] = Object.getOwnPropertySymbols(value)
  if (symbol !== undefined) return `has a member named by a symbol, ${String(symbol)}`
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (member.get !== undefined || member.set !== undefined) {
      return `has a getter or a setter, ${name}`
    }
    if (member.enumerable !== true) return `has a member that is not enumerable, ${name}`
  }
  return null
}

/**
 * Every realm has an `Object.prototype` of its own, and tests in Jest run in another realm than
 * Node's modules. So it is recognised by two facts: it has no prototype, and it has a method that
 * other objects without a prototype do not have.
 */
function hasPlainPrototype(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty'))
  )
}
