// These publish ES modules only; jest's loader needs them transformed.
const esm = ['p-map', 'p-retry', 'is-network-error', 'yocto-spinner', 'yoctocolors'];

// Inherited by jest's workers and by what the tests start.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/environment.ts',
  // Whole rehearsals wait a lot: jest's own number, one less than the cores, would be one of two.
  maxWorkers: 2,
  roots: ['<rootDir>/test'],
  // A slow machine is no failure; what hangs still ends.
  testTimeout: 30_000,
  testMatch: ['**/*.test.ts'],
  // Rehearsals of many minutes: npm run test:long.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/long/'],
  transform: {
    '^.+\\.[tj]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:${esm.join('|')})/)`],
};
