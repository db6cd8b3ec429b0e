// These publish ES modules only; jest's loader needs them transformed.
const esm = ['p-map', 'p-retry', 'is-network-error', 'listr2', 'log-update', 'ansi-escapes', 'environment',
  'cli-cursor', 'restore-cursor', 'onetime', 'mimic-function', 'slice-ansi', 'is-fullwidth-code-point',
  'get-east-asian-width', 'strip-ansi', 'ansi-regex', 'wrap-ansi', 'string-width', 'ansi-styles', 'cli-truncate', 'eventemitter3', 'rfdc', 'colorette'];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.[tj]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:${esm.join('|')})/)`],
};
