import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { loadRuntimes, resolveLayers } from '../../lib/layers';
import type { Runtime } from '../../lib/layers/runtimes';
import { bundleShim, shimName } from '../../lib/layers/shim';
import { temporaryFolder } from '../temporary-folder';
import { fixtureRuntime, PROJECT, tinySpec, writeFiles } from './fixtures';

/** A copy of the project's runtimes and what they share, somewhere else. */
function elsewhere(): string {
  const folder = temporaryFolder();
  for (const part of ['runtimes', 'runtime-api']) {
    cpSync(join(PROJECT, 'assets', part), join(folder, 'assets', part), { recursive: true });
  }
  return join(folder, 'assets');
}

const inputsBelow = (assets: string) => {
  const runtimes = loadRuntimes(join(assets, 'runtimes'));
  return runtimes.map(({ name, versions }) => {
    const one = Object.keys(versions).slice(0, 1);
    const selection = { name, versions: one, architectures: ['arm64'] as const };
    return resolveLayers({ runtimes: [selection] }, runtimes)[0]?.inputs;
  });
};

describe('a shim', () => {
  test.each([
    ['runtime.mts', 'runtime.mjs'],
    ['runtime.cts', 'runtime.cjs'],
    ['runtime.ts', 'runtime.js'],
    ['runtime.mjs', 'runtime.mjs'],
  ])('%s is %s in the layer', (shim, name) => expect(shimName({ shim })).toBe(name));

  test('is bundled to the same bytes wherever the project lies, without a path of it', () => {
    const assets = elsewhere();
    for (const runtime of loadRuntimes()) {
      const here = bundleShim(runtime).toString();
      const there = { ...runtime, folder: join(assets, 'runtimes', runtime.name) };
      expect(bundleShim(there).toString()).toBe(here);
      expect(here).not.toContain(PROJECT);
      expect(here).not.toMatch(/sourceMappingURL|from "\.|require\("\./);
      // Else it would depend on who reads it.
      expect(here).toMatch(/^[\t\n -~]*$/);
    }
  });

  test('counts with all that it imports: a change of the common source changes every layer', () => {
    const assets = elsewhere();
    const before = inputsBelow(assets);
    expect(before).toEqual(inputsBelow(join(PROJECT, 'assets')));
    writeFiles(join(assets, 'runtime-api'), {
      'index.ts': "export { importFile } from './import-file';\nexport const serve = () => {};",
    });
    const after = inputsBelow(assets);
    expect(after.filter((inputs) => before.includes(inputs))).toEqual([]);
  });

  test('begins with the comment that its entry begins with', async () => {
    const files = { 'shim.js': '// @word\n// What it is.\n\n// More.\nlet one = 1;' };
    const { runtimes } = await fixtureRuntime(temporaryFolder(), { files });
    const [tiny] = runtimes as [Runtime];
    expect(bundleShim(tiny).toString()).toMatch(/^\/\/ @word\n\/\/ What it is\.\n(?!\/\/ More)/);
  });

  test('fails with the place when it cannot be bundled', async () => {
    const files = { 'shim.js': "import './missing';\nlet 1;" };
    const { runtimes } = await fixtureRuntime(temporaryFolder(), { files });
    expect(() => tinySpec(runtimes)).toThrow(
      expect.objectContaining({
        code: 'InvalidShim',
        message: expect.stringContaining('shim.js:2'),
      }),
    );
  });
});
