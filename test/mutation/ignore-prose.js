/**
 * Stryker makes a string empty. In a text for people that says nothing about the code, and a test
 * that compared every sentence would only repeat it. So a string of three words or more is not
 * mutated. Names, codes, headers and the strings of regular expressions are.
 */
const PROSE = /\p{L}+[,;:.]? \S+ \S+/u

const ignorer = {
  shouldIgnore(path) {
    const text = path.isStringLiteral()
      ? path.node.value
      : path.isTemplateLiteral()
        ? path.node.quasis.map(({ value }) => value.cooked).join('x')
        : ''
    return PROSE.test(text) ? 'a text for people' : undefined
  },
}

/** As `declareValuePlugin` of `@stryker-mutator/api` makes it, which is not installed here. */
export const strykerPlugins = [{ kind: 'Ignore', name: 'prose', value: ignorer }]
