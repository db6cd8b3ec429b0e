import { DIALECTS } from './dialects';
import { FakeRuntimeApi } from './fake-runtime-api';
import { describeLayerModules } from './layer-modules';
import { describeLogContract } from './log-contract';
import { layerStarter } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeShippedExample } from './shipped-example';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';
import { describeWrapperScript } from './wrapper-script';

const dialect = DIALECTS.bun;

describe('bun', () => describeRuntimeContract(dialect));
describe('bun on the wire', () => describeWireContract(dialect));
describe('bun logs', () => describeLogContract(dialect));
describe('bun in pieces', () => describeStreamingContract(dialect));
describe('bun wrapper script', () => describeWrapperScript(dialect));
describe('bun example', () => describeShippedExample(dialect));

describe('bun modules of a layer', () => describeLayerModules(dialect, false));

describe('bun handlers', () => {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());

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
    const { api } = await start({ [file]: code });
    expect((await api.invoke({ n: 4 })).body).toBe('4');
  });

  test('a file that does not parse is named with its place', async () => {
    const files = { 'main.ts': '\nexport const = ;' };
    const { api } = await start(files);
    const post = await api.nextPost();
    expect(JSON.parse(post.body).errorMessage).toMatch(/main\.ts:2:14/);
  });

  test('a missing module is an error, not a download', async () => {
    const files = { 'main.ts': "import leftPad from 'left-pad'; export const handler = leftPad;" };
    const { api } = await start(files);
    const post = await api.nextPost();
    expect(JSON.parse(post.body).errorMessage).toMatch(/Cannot find (package|module).*left-pad/);
  });
});
