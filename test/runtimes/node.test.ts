import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, PROJECT, realLayer } from '../layers/fixtures';
import { DIALECTS } from './dialects';
import { describeLayerModules } from './layer-modules';
import { describeLogContract } from './log-contract';
import { describeNursery } from './nursery';
import { RunningLayer } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';

const dialect = DIALECTS.node;

describe('node', () => describeRuntimeContract(dialect));
describe('node on the wire', () => describeWireContract(dialect));
describe('node logs', () => describeLogContract(dialect));
describe('node in pieces', () => describeStreamingContract(dialect));

describe('node modules of a layer', () => describeLayerModules(dialect, true));

describe('node nursery', () => describeNursery(dialect, 'NODE_OPTIONS', 8));

describe('node handlers', () => {
  test.each([
    ['main.mjs', 'export const handler = ({ n }) => n;', {}],
    ['main.cjs', 'exports.handler = ({ n }) => n;', {}],
    ['main.js', 'exports.handler = ({ n }) => n;', {}],
    ['main.js', 'module.exports = Object.assign({}, { handler: ({ n }) => n });', {}],
    ['main.js', 'export const handler = ({ n }) => n;', { 'package.json': '{"type":"module"}' }],
    [
      'main.mjs',
      'const m = await Promise.resolve(1); export const handler = ({ n }) => n * m;',
      {},
    ],
    ['main.mjs', 'export default { handler: ({ n }) => n };', {}],
    [
      'main.ts',
      "import type { E } from './e.ts';\nexport const handler = ({ n }: E): number => n as number;",
      { 'e.ts': 'export interface E { n: number }' },
    ],
    ['main.mts', 'export const handler = ({ n }: { n: number }) => n;', {}],
    ['main.cts', 'exports.handler = ({ n }: { n: number }) => n;', {}],
  ])('%s with %j is loaded', async (file, code, others) => {
    const { folder } = await realLayer('node');
    const running = await RunningLayer.start(folder, { [file]: code, ...others }, 'main.handler');
    try {
      expect((await running.api.invoke({ n: 4 })).body).toBe('4');
    } finally {
      await running.stop();
    }
  });

  test('the example says what runs it, like an HTTP API', async () => {
    const { folder, manifest } = await realLayer('node');
    const code = readFileSync(join(PROJECT, 'assets/examples/node/index.mjs'), 'utf8');
    const running = await RunningLayer.start(folder, { 'index.mjs': code }, 'index.handler');
    try {
      const answer = JSON.parse((await running.api.invoke({ smoke: 'x' })).body);
      const nodeVersion = `v${manifest.version}`;
      expect(answer).toMatchObject({
        statusCode: 200,
        nodeVersion,
        runtime: 'node',
        version: manifest.version,
        architecture: HOST,
        event: { smoke: 'x' },
      });
      expect(JSON.parse(answer.body)).toEqual({ nodeVersion });
    } finally {
      await running.stop();
    }
  });
});
