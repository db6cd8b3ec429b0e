import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, PROJECT, realLayer } from '../layers/fixtures';
import { describeLogContract } from './log-contract';
import { RunningLayer } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';

const dialect = { name: 'deno', file: 'main.ts', parseError: 'TypeError' };

describe('deno', () => describeRuntimeContract(dialect));
describe('deno on the wire', () => describeWireContract(dialect));
describe('deno logs', () => describeLogContract(dialect));
describe('deno in pieces', () => describeStreamingContract(dialect));

describe('deno handlers', () => {
  test.each([
    [
      'main.ts',
      'interface E { n: number }\nexport const handler = (e: E): number => e.n as number;',
    ],
    ['main.js', 'export const handler = ({ n }) => n;'],
    ['main.mjs', 'export const handler = ({ n }) => n;'],
  ])('%s is loaded', async (file, code) => {
    const { folder } = await realLayer('deno');
    const running = await RunningLayer.start(folder, { [file]: code }, 'main.handler');
    try {
      expect((await running.api.invoke({ n: 4 })).body).toBe('4');
    } finally {
      await running.stop();
    }
  });

  test('the example says what runs it', async () => {
    const { folder, manifest } = await realLayer('deno');
    const code = readFileSync(join(PROJECT, 'assets/examples/deno/mod.ts'), 'utf8');
    const running = await RunningLayer.start(folder, { 'mod.ts': code }, 'mod.handler');
    try {
      expect(JSON.parse((await running.api.invoke({ smoke: 'x' })).body)).toMatchObject({
        runtime: 'deno',
        version: manifest.version,
        architecture: HOST,
        event: { smoke: 'x' },
      });
    } finally {
      await running.stop();
    }
  });
});
