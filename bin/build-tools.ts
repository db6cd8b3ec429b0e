import { join } from 'node:path';
import { runProgram } from '../lib/program';
import { bundleTools } from '../lib/publish/bundle-tools';

const file = process.argv[2] ?? join(__dirname, '../dist/release/tools.cjs');

runProgram(() => bundleTools(file));
