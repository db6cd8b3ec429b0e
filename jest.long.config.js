const base = require('./jest.config.js');

/** Whole rehearsals of minutes each, one after the other: `npm run test:long`. */
/** @type {import('jest').Config} */
module.exports = {
  ...base,
  roots: ['<rootDir>/test/long'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
};
