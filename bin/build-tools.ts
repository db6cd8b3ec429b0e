import { join } from 'node:path';
import { describeError } from '../lib/errors';
import { bundleTools } from '../lib/publish/bundle-tools';

const file = process.argv[2] ?? join(__dirname, '../dist/release/tools.cjs');

bundleTools(file).catch((error) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
