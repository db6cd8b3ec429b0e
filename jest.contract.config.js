const base = require('./jest.config.js');

/** The contract against the client that CONTRACT_CLIENT names: `npm run bench -- contract`. */
/** @type {import('jest').Config} */
module.exports = {
  ...base,
  testMatch: ['<rootDir>/test/runtimes/client.contract.ts'],
  maxWorkers: 1,
};
