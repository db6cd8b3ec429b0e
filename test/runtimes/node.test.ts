import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { realLayer } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { DIALECTS } from './dialects';
import { FakeRuntimeApi } from './fake-runtime-api';
import { describeHeap } from './heap';
import { answerBeside, describeLayerModules } from './layer-modules';
import { describeLogContract } from './log-contract';
import { layerStarter } from './running-layer';
import { describeRuntimeContract } from './runtime-contract';
import { describeShippedExample } from './shipped-example';
import { describeStreamingContract } from './streaming-contract';
import { describeWireContract } from './wire-contract';
import { describeWrapperScript } from './wrapper-script';

const dialect = DIALECTS.node;

describe('node', () => describeRuntimeContract(dialect));
describe('node on the wire', () => describeWireContract(dialect));
describe('node logs', () => describeLogContract(dialect));
describe('node in pieces', () => describeStreamingContract(dialect));
describe('node wrapper script', () => describeWrapperScript(dialect));
describe('node example', () =>
  describeShippedExample(dialect, (answer, version) => {
    // Like an HTTP API.
    const nodeVersion = `v${version}`;
    expect(answer).toMatchObject({ statusCode: 200, nodeVersion });
    expect(JSON.parse(answer.body as string)).toEqual({ nodeVersion });
  }));

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

  test('CommonJS finds files from the folder of the function, after those of layers', async () => {
    const code = "exports.handler = () => [require('lib/one'), require('two')];";
    const files = { 'src/main.js': code, 'lib/one.js': 'module.exports = 1;', 'two.js': '' };
    const inLayer = { 'nodejs/node_modules/two.js': 'module.exports = 2;' };
    const answer = await answerBeside('node', inLayer, files, { _HANDLER: 'src/main.handler' });
    expect(answer).toBe('[1,2]');
  });

  test('connections to the Runtime API are not what a function has put in place of its own', async () => {
    const { api } = await start(`import net from 'node:net';
      net.connect = net.createConnection = () => { throw new Error('observed'); };
      export const handler = () => 'answered';`);
    expect((await api.invoke({})).body).toBe('"answered"');
  });

  test('a method that a CommonJS module exports keeps its `this`', async () => {
    const code = `class Answers { #n = 4; handler() { return this.#n; } }
      module.exports = new Answers();`;
    const { api } = await start({ 'main.js': code });
    expect((await api.invoke({})).body).toBe('4');
  });

  test('the default export of CommonJS that was an ES module once is found', async () => {
    const code = `Object.defineProperty(exports, '__esModule', { value: true });
      exports.default = ({ n }) => n;`;
    const { api } = await start({ 'main.js': code }, {}, 'main.default');
    expect((await api.invoke({ n: 4 })).body).toBe('4');
  });

  test('answers that a function gets may have 80 KiB of header fields, or what it says', async () => {
    const code = `import { maxHeaderSize } from 'node:http';
      export const handler = () => maxHeaderSize;`;
    const limit = async (environment: Record<string, string>) =>
      (await (await start(code, environment)).api.invoke({})).body;
    expect(await limit({})).toBe('81920');
    expect(await limit({ NODE_OPTIONS: '--max-http-header-size=20000' })).toBe('20000');
  });

  test('ES modules are required, which is quicker, unless something was preloaded', async () => {
    const { manifest } = await realLayer('node');
    const able = Number(manifest.version.split('.')[0]) >= 24;
    const files = {
      'main.mjs':
        "const { stack } = new Error(); export const handler = () => stack.includes('CJS');",
      'preloaded.cjs': '',
    };
    const required = async (options: Record<string, string>) => {
      const { api } = await start(files, options);
      return JSON.parse((await api.invoke({})).body);
    };
    expect(await required({})).toBe(able);
    expect(await required({ NODE_OPTIONS: '--enable-source-maps' })).toBe(able);
    for (const option of ['--require=', '-r ', '--import ', '--import=']) {
      expect(await required({ NODE_OPTIONS: `${option}./preloaded.cjs` })).toBe(false);
    }
  });

  test('nothing runs twice in a module that awaits, or imports what does', async () => {
    const files = {
      'main.mjs': `import { count } from './awaits.mjs';
        globalThis.main = (globalThis.main ?? 0) + 1;
        export const handler = () => [count, globalThis.main];`,
      'awaits.mjs': `await Promise.resolve();
        globalThis.awaits = (globalThis.awaits ?? 0) + 1;
        export const count = globalThis.awaits;`,
    };
    const { api } = await start(files);
    expect((await api.invoke({})).body).toBe('[1,1]');
  });

  test('a module may import WebAssembly', async () => {
    // (module (func (export "two") (result i32) i32.const 42)), text as well: no byte is above 127.
    const bytes = '0061736d010000000105016000017f030201000707010374776f00000a06010400412a0b';
    const files = {
      'main.mjs': "import { two } from './two.wasm'; export const handler = () => two();",
      'two.wasm': Buffer.from(bytes, 'hex').toString(),
    };
    const { api } = await start(files);
    expect((await api.invoke({})).body).toBe('42');
  });

  test('CommonJS that requires a module that awaits fails once', async () => {
    const code = "console.log('at main'); exports.handler = require('./awaits.mjs').handler;";
    const typed = `const n: number = 1; ${code}`;
    const imports = "import common from './common.cjs'; export const { handler } = common;";
    const awaits = { 'awaits.mjs': 'await Promise.resolve(); export const handler = () => 1;' };
    const functions: Record<string, string>[] = [
      { 'main.js': code },
      { 'main.cjs': code },
      { 'main.ts': typed },
      { 'main.cts': typed },
      { 'main.mjs': imports, 'common.cjs': code },
    ];
    for (const files of functions) {
      const layer = await start({ ...files, ...awaits });
      const post = await layer.api.nextPost();
      expect(post.path).toBe('/init/error');
      expect(JSON.parse(post.body).errorMessage).toMatch(/top-level await/);
      await layer.exited;
      expect(layer.log.match(/at main/g)).toHaveLength(1);
    }
  });

  test('a file that does not parse, or imports what is not there, is named with the line', async () => {
    const broken = '\nexport const = ;';
    const functions: [Record<string, string>, string][] = [
      [{ 'main.mjs': broken }, 'main.mjs:2'],
      [{ 'main.mjs': "import './other.mjs';", 'other.mjs': broken }, 'other.mjs:2'],
      [{ 'main.mjs': "\nimport { no } from './other.mjs'; no();", 'other.mjs': '' }, 'main.mjs:2'],
      [{ 'main.js': '\nexports.handler = = 1;' }, 'main.js:2'],
      [{ 'main.js': "require('./other');", 'other.js': '\nlet a; let a;' }, 'other.js:2'],
      [{ 'main.ts': '\nenum E { A }' }, 'main.ts:2'],
    ];
    for (const [files, place] of functions) {
      const layer = await start(files);
      expect(JSON.parse((await layer.api.nextPost()).body).errorType).toBe('SyntaxError');
      expect(await layer.exited).toBe(1);
      expect(layer.log).toContain(place);
    }
    // What the function throws itself has its place in its frames.
    const parses = await start({ 'main.mjs': "JSON.parse('{');" });
    await parses.exited;
    expect(parses.log.match(/SyntaxError/g)).toHaveLength(1);
  });

  test('what hooks require sees a CommonJS handler, and no ES module, as tracing does', async () => {
    const hook = `const Module = require('node:module');
      const { require: before } = Module.prototype;
      Module.prototype.require = function (id) {
        const exported = before.call(this, id);
        if (!id.includes('main')) return exported;
        const { handler } = exported;
        // Throws for an ES module.
        return Object.defineProperty(exported, 'handler', { value: (e) => ['traced', handler(e)] });
      };`;
    const options = { NODE_OPTIONS: '--require=./hook.cjs' };
    const answerOf = async (file: string, code: string) => {
      const { api } = await start({ [file]: code, 'hook.cjs': hook }, options);
      return (await api.invoke({ n: 4 })).body;
    };
    const common = '#!/usr/bin/env node\nexports.handler = ({ n }) => n;';
    expect(await answerOf('main.js', common)).toBe('["traced",4]');
    expect(await answerOf('main.cjs', 'exports.handler = ({ n }) => n;')).toBe('["traced",4]');
    expect(await answerOf('main.js', 'export const handler = ({ n }) => n;')).toBe('4');
    expect(await answerOf('main.mjs', 'export const handler = ({ n }) => n;')).toBe('4');
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

  test('what is no package is not looked for in layers', async () => {
    const inLayer = {
      'nodejs/own.mjs': "export default 'of the layer';",
      'nodejs/node_modules/one/index.js': '',
      'nodejs/package.json': '{"imports":{"#own":"./own.mjs"}}',
    };
    for (const specifier of ['./own.mjs', '#own']) {
      const imports = `import own from '${specifier}'; export const handler = () => own;`;
      const failure = await answerBeside('node', inLayer, { 'main.mjs': imports });
      expect(JSON.parse(failure)).toMatchObject({ errorMessage: expect.stringContaining('own') });
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
});
