import { DIALECTS } from './dialects';
import { FakeRuntimeApi } from './fake-runtime-api';
import { describeHeap } from './heap';
import { describeLogContract } from './log-contract';
import { layerStarter } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeShippedExample } from './shipped-example';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';
import { describeWrapperScript } from './wrapper-script';

const dialect = DIALECTS.deno;

describe('deno', () => describeRuntimeContract(dialect));
describe('deno on the wire', () => describeWireContract(dialect));
describe('deno logs', () => describeLogContract(dialect));
describe('deno in pieces', () => describeStreamingContract(dialect));
describe('deno wrapper script', () => describeWrapperScript(dialect));
describe('deno example', () => describeShippedExample(dialect));

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
    ['main.cjs', 'exports.handler = ({ n }) => n;'],
    ['main.cjs', 'module.exports = new (class { #n = 4; handler() { return this.#n; } })();'],
    ['main.cts', 'exports.handler = ({ n }: { n: number }): number => n;'],
  ])('%s with %j is loaded', async (file, code) => {
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
    [
      'node_modules without a configuration',
      {
        'node_modules/@a/four/package.json':
          '{"name":"@a/four","version":"1.0.0","exports":{"./in":{"import":"./in.mjs"}}}',
        'node_modules/@a/four/in.mjs': "import { three } from 'three'; export default three + 1;",
        'node_modules/three/package.json': '{"name":"three","version":"1.0.0"}',
        'node_modules/three/index.js': 'exports.three = 3;',
        'main.ts': "import four from '@a/four/in'; export const handler = () => four;",
      },
    ],
  ])('%s is understood, without network', async (_, files) => {
    const { api } = await start(files);
    expect((await api.invoke({})).body).toBe('4');
  });

  test.each(['https://example.com/mod.ts', 'npm:left-pad@1'])(
    'a module that is not there (%s) is an error, not a download',
    async (specifier) => {
      const packages = { 'node_modules/three/index.js': 'exports.three = 3;' };
      const configured: Record<string, string>[] = [{}, packages, { 'deno.json': '{}' }];
      for (const files of configured) {
        const code = { 'main.ts': `import '${specifier}'; export const handler = 1;` };
        const { api } = await start({ ...code, ...files });
        const { path, body } = await api.nextPost();
        expect(path).toBe('/init/error');
        expect(JSON.parse(body).errorMessage).toMatch(/cache|npm/);
      }
    },
  );
});
