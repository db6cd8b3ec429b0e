import { cpSync } from 'node:fs';
import { realLayer, writeFiles } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { FakeRuntimeApi } from './fake-runtime-api';
import { RunningLayer, type RuntimeDialect } from './running-layer';

/** What a function answers beside a layer with further files: Lambda merges all layers at /opt. */
export async function answerBeside(
  runtime: string,
  layerFiles: Record<string, string>,
  files: Record<string, string>,
  environment: Record<string, string> = {},
): Promise<string> {
  const { folder } = await realLayer(runtime);
  const opt = temporaryFolder();
  cpSync(folder, opt, { recursive: true });
  writeFiles(opt, layerFiles);
  const api = await FakeRuntimeApi.start();
  const running = RunningLayer.with(api, opt, files, 'main.handler', environment);
  try {
    return (await running.api.invoke({})).body;
  } finally {
    await running.stop();
  }
}

/**
 * Modules that another layer brings along, for runtimes that have Node.js's modules.
 *
 * @param followsExports whether the interpreter obeys a package's `exports` there
 */
export function describeLayerModules(
  { name, file }: RuntimeDialect,
  followsExports: boolean,
): void {
  const inLayer = {
    'nodejs/node_modules/plain/package.json': '{"name":"plain","main":"main.js"}',
    'nodejs/node_modules/plain/main.js': "module.exports = require('other').other;",
    'nodejs/node_modules/plain/deep.js': "exports.deep = 'deep';",
    'nodejs/node_modules/other/index.js': "exports.other = 'from the layer';",
    'nodejs/node_modules/dual/package.json': JSON.stringify({
      name: 'dual',
      exports: { import: './module.mjs', require: './common.cjs' },
    }),
    'nodejs/node_modules/dual/module.mjs': "export default 'imported';",
    'nodejs/node_modules/dual/common.cjs': "module.exports = 'required';",
  };
  const answerOf = (files: Record<string, string>) => answerBeside(name, inLayer, files);

  test('are imported', async () => {
    const code = `import plain from 'plain'; import { deep } from 'plain/deep.js';
      export const handler = () => [plain, deep];`;
    expect(await answerOf({ [file]: code })).toBe('["from the layer","deep"]');
  });

  test('are required', async () => {
    const code = "const plain = require('plain'); exports.handler = () => plain;";
    expect(await answerOf({ 'main.cjs': code })).toBe('"from the layer"');
  });

  if (followsExports) {
    test('are found by their exports', async () => {
      const imports = "import dual from 'dual'; export const handler = () => dual;";
      expect(await answerOf({ [file]: imports })).toBe('"imported"');
      const requires = "const dual = require('dual'); exports.handler = () => dual;";
      expect(await answerOf({ 'main.cjs': requires })).toBe('"required"');
    });
  }

  test('may hold the handler, unless the function has a file of that name', async () => {
    const wrapper = {
      'nodejs/node_modules/wrapper/package.json': '{"name":"wrapper","main":"lib/main.js"}',
      'nodejs/node_modules/wrapper/lib/main.js': "exports.handler = () => 'wrapped';",
      'nodejs/node_modules/@a/b/in/it.js': "exports.handler = () => 'scoped';",
    };
    const answerTo = (handler: string, files = {}) =>
      answerBeside(name, wrapper, files, { _HANDLER: handler });
    expect(await answerTo('wrapper.handler')).toBe('"wrapped"');
    expect(await answerTo('@a/b/in/it.handler')).toBe('"scoped"');
    expect(await answerTo('@a/b/in/it.handler', { '@a/b': 'a file' })).toBe('"scoped"');
    const own = { 'wrapper.js': "module.exports.handler = () => 'own';" };
    expect(await answerTo('wrapper.handler', own)).toBe('"own"');
    expect(JSON.parse(await answerTo('fs.readFileSync'))).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
    });
  });

  test('come after those of the function itself', async () => {
    const own = { 'node_modules/plain/index.js': "module.exports = 'own';" };
    const code = "import plain from 'plain'; export const handler = () => plain;";
    expect(await answerOf({ [file]: code, ...own })).toBe('"own"');
  });

  test('are named with the file that misses them', async () => {
    const code = "import 'nowhere'; export const handler = 1;";
    expect(JSON.parse(await failureOf({ [file]: code })).errorMessage).toMatch(/nowhere.*main/);
  });

  const failureOf = async (files: Record<string, string>) => {
    const { folder } = await realLayer(name);
    const running = await RunningLayer.start(folder, files, 'main.handler');
    const { body } = await running.api.nextPost();
    await running.stop();
    return body;
  };
}
