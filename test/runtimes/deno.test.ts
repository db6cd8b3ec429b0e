import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, PROJECT, realLayer } from '../layers/fixtures';
import { DIALECTS } from './dialects';
import { FakeRuntimeApi } from './fake-runtime-api';
import { describeHeap } from './heap';
import { describeLogContract } from './log-contract';
import { layerStarter } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';
import { describeWrapperScript } from './wrapper-script';

const dialect = DIALECTS.deno;

describe('deno', () => describeRuntimeContract(dialect));
describe('deno on the wire', () => describeWireContract(dialect));
describe('deno logs', () => describeLogContract(dialect));
describe('deno in pieces', () => describeStreamingContract(dialect));
describe('deno wrapper script', () => describeWrapperScript(dialect));

describe('deno heap', () => describeHeap(dialect, 'DENO_V8_FLAGS', 16));

describe('deno handlers', () => {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());

  test.each([
    [
      'main.ts',
      'interface E { n: number }\nexport const handler = (e: E): number => e.n as number;',
    ],
    ['main.js', 'export const handler = ({ n }) => n;'],
    ['main.mjs', 'export const handler = ({ n }) => n;'],
  ])('%s is loaded', async (file, code) => {
    const { api } = await start({ [file]: code });
    expect((await api.invoke({ n: 4 })).body).toBe('4');
  });

  test.each([
    ['top-level await', { 'main.ts': 'const m = await 4; export const handler = () => m;' }],
    ['a default export', { 'main.ts': 'export default { handler: () => 4 };' }],
    [
      'an import map and a vendored remote module',
      {
        'deno.json': '{"vendor":true,"imports":{"@/":"./lib/","four":"https://example.com/4.ts"}}',
        'vendor/example.com/4.ts': 'export const four: number = 4;',
        'lib/same.ts': 'export const same = <T>(value: T): T => value;',
        'main.ts':
          "import { four } from 'four'; import { same } from '@/same.ts';\n" +
          'export const handler = () => same(four);',
      },
    ],
    [
      'node_modules, told by deno.jsonc',
      {
        'deno.jsonc': '{ /* a comment */ "nodeModulesDir": "manual" }',
        'package.json': '{"dependencies":{"four":"1.0.0"}}',
        'node_modules/four/package.json': '{"name":"four","version":"1.0.0","main":"index.js"}',
        'node_modules/four/index.js': 'module.exports = 4;',
        'main.ts': "import four from 'four'; export const handler = () => four;",
      },
    ],
  ])('%s is understood, without network', async (_, files) => {
    const { api } = await start(files);
    expect((await api.invoke({})).body).toBe('4');
  });

  test.each(['https://example.com/mod.ts', 'npm:left-pad@1'])(
    'a module that is not there (%s) is an error, not a download',
    async (specifier) => {
      const configured: Record<string, string>[] = [{}, { 'deno.json': '{}' }];
      for (const files of configured) {
        const code = { 'main.ts': `import '${specifier}'; export const handler = 1;` };
        const { api } = await start({ ...code, ...files });
        const { path, body } = await api.nextPost();
        expect(path).toBe('/init/error');
        expect(JSON.parse(body).errorMessage).toMatch(/cache|npm/);
      }
    },
  );

  test('the example says what runs it', async () => {
    const { manifest } = await realLayer('deno');
    const code = readFileSync(join(PROJECT, 'assets/examples/deno/mod.ts'), 'utf8');
    const { api } = await start({ 'mod.ts': code }, {}, 'mod.handler');
    expect(JSON.parse((await api.invoke({ smoke: 'x' })).body)).toMatchObject({
      runtime: 'deno',
      version: manifest.version,
      architecture: HOST,
      event: { smoke: 'x' },
    });
  });
});
