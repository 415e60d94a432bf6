'use strict'

module.exports = {
  root: true,
  ignorePatterns: ['**/dist', '.bench', '**/.build', '.mutation', '.tap', 'node_modules'],
  env: { node: true, es2023: true },
  parserOptions: { ecmaVersion: 2023, sourceType: 'module' },
  extends: ['eslint:recommended', 'prettier'],
  reportUnusedDisableDirectives: true,
  overrides: [
    {
      files: ['**/*.ts'],
      parser: '@typescript-eslint/parser',
      parserOptions: { projectService: true, tsconfigRootDir: __dirname },
      plugins: ['@typescript-eslint', 'jsdoc'],
      extends: [
        'plugin:@typescript-eslint/strict-type-checked',
        'plugin:@typescript-eslint/stylistic-type-checked',
        'prettier',
      ],
      rules: {
        '@typescript-eslint/consistent-type-imports': 'error',
        '@typescript-eslint/explicit-module-boundary-types': 'error',
        // It asks for `!`, which the strict rules forbid.
        '@typescript-eslint/non-nullable-type-assertion-style': 'off',
        '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
        'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
        'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
        complexity: ['error', 12],
      },
    },
    {
      files: ['src/**/*.ts'],
      rules: {
        'jsdoc/require-jsdoc': [
          'error',
          { publicOnly: true, contexts: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'] },
        ],
      },
    },
    {
      files: ['src/adapters/express/middleware.ts'],
      rules: {
        // Express is open to additions under a global namespace, and under nothing else.
        '@typescript-eslint/no-namespace': ['error', { allowDeclarations: true }],
      },
    },
    {
      files: ['src/adapters/fastify/types.ts'],
      rules: {
        // Merging into Fastify's interface needs its type parameters by name, used or not.
        '@typescript-eslint/no-unused-vars': 'off',
      },
    },
    {
      files: ['src/client/fastify/service-clients.ts'],
      rules: {
        // Users merge their clients into an interface that begins empty.
        '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'always' }],
      },
    },
    {
      files: ['examples/agents/a2a-client.ts'],
      rules: {
        // The SDK declares its options as a class that it does not export.
        '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      },
    },
    {
      // The compiler has checked their types; rules that ask for types too would double the time. (The
      // types of the site come with `npm run site`.)
      files: ['test/**/*.ts', 'bench/**/*.ts', 'fuzz/**/*.ts', 'site/**/*.ts'],
      extends: ['plugin:@typescript-eslint/disable-type-checked'],
      parserOptions: { projectService: false },
    },
    {
      files: ['test/**/*.ts', 'bench/test/**/*.ts'],
      rules: {
        'max-lines': ['error', 400],
        'max-lines-per-function': 'off',
      },
    },
  ],
}
