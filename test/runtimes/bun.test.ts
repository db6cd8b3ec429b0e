import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, PROJECT, realLayer } from '../layers/fixtures';
import { DIALECTS } from './dialects';
import { describeLayerModules } from './layer-modules';
import { describeLogContract } from './log-contract';
import { RunningLayer } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';
import { describeWrapperScript } from './wrapper-script';

const dialect = DIALECTS.bun;

describe('bun', () => describeRuntimeContract(dialect));
describe('bun on the wire', () => describeWireContract(dialect));
describe('bun logs', () => describeLogContract(dialect));
describe('bun in pieces', () => describeStreamingContract(dialect));
describe('bun wrapper script', () => describeWrapperScript(dialect));

describe('bun modules of a layer', () => describeLayerModules(dialect, false));

describe('bun handlers', () => {
  test.each([
    [
      'main.ts',
      'enum E { One = 1 }\nexport const handler = (e: { n: number }): number => e.n * E.One;',
    ],
    ['main.js', 'export const handler = ({ n }) => n;'],
    ['main.js', 'exports.handler = ({ n }) => n;'],
    ['main.mjs', 'export const handler = ({ n }) => n;'],
    ['main.cjs', 'exports.handler = ({ n }) => n;'],
    ['main.js', 'export default { handler: ({ n }) => n };'],
    ['main.ts', 'const one = await Promise.resolve(1); export const handler = ({ n }) => n * one;'],
  ])('%s is loaded: %s', async (file, code) => {
    const { folder } = await realLayer('bun');
    const running = await RunningLayer.start(folder, { [file]: code }, 'main.handler');
    try {
      expect((await running.api.invoke({ n: 4 })).body).toBe('4');
    } finally {
      await running.stop();
    }
  });

  test('a file that does not parse is named with its place', async () => {
    const { folder } = await realLayer('bun');
    const files = { 'main.ts': '\nexport const = ;' };
    const running = await RunningLayer.start(folder, files, 'main.handler');
    const post = await running.api.nextPost();
    expect(JSON.parse(post.body).errorMessage).toMatch(/main\.ts:2:14/);
    await running.stop();
  });

  test('a missing module is an error, not a download', async () => {
    const { folder } = await realLayer('bun');
    const files = { 'main.ts': "import leftPad from 'left-pad'; export const handler = leftPad;" };
    const running = await RunningLayer.start(folder, files, 'main.handler');
    const post = await running.api.nextPost();
    expect(JSON.parse(post.body).errorMessage).toMatch(/Cannot find (package|module).*left-pad/);
    await running.stop();
  });

  test('the example says what runs it', async () => {
    const { folder, manifest } = await realLayer('bun');
    const code = readFileSync(join(PROJECT, 'assets/examples/bun/index.ts'), 'utf8');
    const running = await RunningLayer.start(folder, { 'index.ts': code }, 'index.handler');
    try {
      expect(JSON.parse((await running.api.invoke({ smoke: 'x' })).body)).toMatchObject({
        runtime: 'bun',
        version: manifest.version,
        architecture: HOST,
        event: { smoke: 'x' },
      });
    } finally {
      await running.stop();
    }
  });
});
