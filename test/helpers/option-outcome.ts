/** What becomes of the value of an option. */
/** The value, or the message of the error. */
export function outcomeOf(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (error) {
    const { name, code, message } = error as Error & { code: unknown }
    return name === 'TypeError' && code === 'ID_TOKEN_OPTION_INVALID' ? message : error
  }
}
