import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, PROJECT, realLayer } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { DIALECTS } from './dialects';
import { FakeRuntimeApi } from './fake-runtime-api';
import { describeHeap } from './heap';
import { answerBeside, describeLayerModules } from './layer-modules';
import { describeLogContract } from './log-contract';
import { layerStarter } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';
import { describeWrapperScript } from './wrapper-script';

const dialect = DIALECTS.node;

describe('node', () => describeRuntimeContract(dialect));
describe('node on the wire', () => describeWireContract(dialect));
describe('node logs', () => describeLogContract(dialect));
describe('node in pieces', () => describeStreamingContract(dialect));
describe('node wrapper script', () => describeWrapperScript(dialect));

describe('node modules of a layer', () => describeLayerModules(dialect, true));

describe('node heap', () => describeHeap(dialect, 'NODE_OPTIONS', 8));

describe('node handlers', () => {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());

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
    const { api } = await start({ [file]: code, ...others });
    expect((await api.invoke({ n: 4 })).body).toBe('4');
  });

  test('a method that a CommonJS module exports keeps its `this`', async () => {
    const code = `class Answers { #n = 4; handler() { return this.#n; } }
      module.exports = new Answers();`;
    const { api } = await start({ 'main.js': code });
    expect((await api.invoke({})).body).toBe('4');
  });

  test('what NODE_OPTIONS registers sees the module, as tracing does', async () => {
    const files = {
      'main.mjs': 'export const handler = () => globalThis.seen;',
      'register.mjs': `import { register } from 'node:module';
        const channel = new MessageChannel();
        channel.port1.on('message', (url) => { globalThis.seen = url; }).unref();
        register('./hooks.mjs', import.meta.url, { data: channel.port2, transferList: [channel.port2] });`,
      'hooks.mjs': `let port;
        export const initialize = (given) => { port = given; };
        export const load = (url, context, next) => {
          if (url.includes('main')) port.postMessage(url.slice(url.lastIndexOf('/') + 1));
          return next(url, context);
        };`,
    };
    const { api } = await start(files, { NODE_OPTIONS: '--import=./register.mjs' });
    expect((await api.invoke({})).body).toBe('"main.mjs"');
  });

  test('modules of a layer may be for this Node.js alone', async () => {
    const { manifest } = await realLayer('node');
    const [major] = manifest.version.split('.');
    const exporting = (text: string) => `module.exports = '${text}';`;
    const inLayer = {
      [`nodejs/node${major}/node_modules/both/index.js`]: exporting(`for ${major}`),
      'nodejs/node1/node_modules/both/index.js': exporting('for 1'),
      'nodejs/node_modules/both/index.js': exporting('for all'),
      'nodejs/node_modules/one/index.js': exporting('for all'),
    };
    const handlers = {
      'main.mjs':
        "import both from 'both'; import one from 'one'; export const handler = () => [both, one];",
      'main.cjs': "exports.handler = () => [require('both'), require('one')];",
    };
    for (const [file, code] of Object.entries(handlers)) {
      const answer = await answerBeside('node', inLayer, { [file]: code });
      expect(answer).toBe(`["for ${major}","for all"]`);
    }
  });

  test('what NODE_OPTIONS preloads is found there, too', async () => {
    const { manifest } = await realLayer('node');
    const [major] = manifest.version.split('.');
    const inLayer = {
      [`nodejs/node${major}/node_modules/tracing/index.js`]: "globalThis.traced = 'traced';",
    };
    const files = { 'main.mjs': 'export const handler = () => globalThis.traced;' };
    const options = { NODE_OPTIONS: '--require=tracing' };
    expect(await answerBeside('node', inLayer, files, options)).toBe('"traced"');
  });

  test('libatomic comes from the layer, unless the environment has one', async () => {
    const { folder, manifest } = await realLayer('node');
    const inLayer = manifest.files.some(({ path }) => path === 'lib/node/libatomic.so.1');
    // Node.js 24 and before do without.
    expect(inLayer).toBe(Number(manifest.version.split('.')[0]) > 24);
    const code = `export const handler = () => process.report.getReport().sharedObjects
      .filter((path) => path.includes('libatomic'));`;
    const loaded = async (environment: Record<string, string>) => {
      const { api } = await start(code, environment);
      return JSON.parse((await api.invoke({})).body);
    };
    const own = join(folder, 'lib/node/libatomic.so.1');
    expect(await loaded({})).toEqual(inLayer ? [own] : []);
    expect(await loaded({ LD_LIBRARY_PATH: '/var/lang/lib' })).toEqual(inLayer ? [own] : []);
    const other = temporaryFolder();
    if (inLayer) cpSync(own, join(other, 'libatomic.so.1'));
    const others = inLayer ? [join(other, 'libatomic.so.1')] : [];
    expect(await loaded({ LD_LIBRARY_PATH: other })).toEqual(others);
  });

  test('tables of WebAssembly functions grow and shrink in threads', async () => {
    const files = {
      'main.mjs': `import { Worker } from 'node:worker_threads';
        const answered = (worker) => new Promise((resolve, reject) =>
          worker.once('message', resolve).once('error', reject));
        export const handler = async () => Promise.all([1, 2, 3, 4].map((n) =>
          answered(new Worker(new URL('./worker.mjs', import.meta.url), { workerData: n }))));`,
      'worker.mjs': `import { parentPort, workerData } from 'node:worker_threads';
        // (module (func (export "f") (result i32) i32.const 7))
        const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0,
          7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 7, 11]);
        let sum = 0;
        for (let round = 0; round < 200; round++) {
          const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
          const table = new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
          for (let index = 0; index < 64; index++) table.set(index, exports.f);
          sum += table.get(round % 64)();
        }
        parentPort.postMessage(sum * workerData);`,
    };
    const { api } = await start(files);
    expect((await api.invoke({})).body).toBe('[1400,2800,4200,5600]');
  });

  test('the example says what runs it, like an HTTP API', async () => {
    const { manifest } = await realLayer('node');
    const code = readFileSync(join(PROJECT, 'assets/examples/node/index.mjs'), 'utf8');
    const { api } = await start({ 'index.mjs': code }, {}, 'index.handler');
    const answer = JSON.parse((await api.invoke({ smoke: 'x' })).body);
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
  });
});
