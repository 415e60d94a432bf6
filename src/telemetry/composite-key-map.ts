/** A part of a key. */
export type Part = string | boolean | null | undefined

/** The values whose keys start with the same parts. */
interface Branch<Value> {
  readonly next: Map<Part, Branch<Value>>
  value: Value | undefined
}

/**
 * Values by keys of several parts: a map for each part. A key that is one string would have to be
 * made and hashed for every look-up, but the parts are strings that V8 has hashed before.
 */
export class CompositeKeyMap<Value> {
  readonly #root: Branch<Value> = { next: new Map(), value: undefined }
  readonly #values: Value[] = []

  /** In the order in which they were added. */
  get values(): readonly Value[] {
    return this.#values
  }

  get(key: readonly Part[]): Value | undefined {
    let branch: Branch<Value> | undefined = this.#root
    for (const part of key) {
      branch = branch.next.get(part)
      if (branch === undefined) return undefined
    }
    return branch.value
  }

  /** @param key - must be new */
  add(key: readonly Part[], value: Value): void {
    let branch = this.#root
    for (const part of key) {
      let next = branch.next.get(part)
      if (next === undefined) {
        next = { next: new Map(), value: undefined }
        branch.next.set(part, next)
      }
      branch = next
    }
    branch.value = value
    this.#values.push(value)
  }
}
