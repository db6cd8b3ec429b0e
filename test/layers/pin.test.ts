import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadRuntimes, type Runtime } from '../../lib/layers';
import { pinVersion } from '../../lib/layers/pin';
import type { PackageVersions } from '../../lib/layers/versions';
import { temporaryFolder } from '../temporary-folder';
import { fixtureRuntime } from './fixtures';

const integrity = (letter: string) => `sha512-${letter.repeat(86)}==`;
/** npm: 1.0.0 is what the fixture pins, 1.9.0 is for arm64 alone. */
const offers: Record<string, Record<string, string>> = {
  'tiny-arm64': { '0.9.0': integrity('A'), '1.1.0': integrity('B'), '1.9.0': integrity('C') },
  'tiny-x64': { '0.9.0': integrity('D'), '1.1.0': integrity('E') },
};
const npm: PackageVersions = async (name) => new Map(Object.entries(offers[name]));

async function tiny() {
  const { root } = await fixtureRuntime(temporaryFolder());
  const load = () => loadRuntimes(root)[0] as Runtime;
  return { runtime: load(), load, file: join(load().folder, 'runtime.json') };
}

describe('pinning a version', () => {
  test.each([
    [undefined, '1.1.0'],
    ['1', '1.1.0'],
    ['v1.1.0', '1.1.0'],
    ['0.9', '0.9.0'],
  ])('%s is %s of npm for both architectures', async (wanted, version) => {
    const { runtime, load, file } = await tiny();
    expect(await pinVersion(runtime, wanted, npm)).toEqual({ version, file, added: true });
    const { arm64, x86_64 } = { arm64: offers['tiny-arm64'], x86_64: offers['tiny-x64'] };
    expect(load().versions[version]).toEqual({ arm64: arm64[version], x86_64: x86_64[version] });
  });

  test('leaves the rest of the file as it is, and puts the newest first', async () => {
    const { runtime, load, file } = await tiny();
    const versions = `"versions": {
    "1.0.0": { "arm64": "${integrity('F')}", "x86_64": "${integrity('F')}" }
  },`;
    const { versions: _, name: _name, folder: _folder, ...rest } = runtime;
    const others = JSON.stringify(rest, undefined, 3).slice(1);
    writeFileSync(file, `{ ${versions}${others}`);
    await pinVersion(load(), '0.9.0', npm);
    await pinVersion(load(), '1.1.0', npm);
    const text = readFileSync(file, 'utf8');
    expect(text.endsWith(others)).toBe(true);
    expect(Object.keys(load().versions)).toEqual(['1.1.0', '1.0.0', '0.9.0']);
  });

  test.each([['"versions": {}'], ['"revision": 1']])(
    'is how a new runtime gets its first one: %s',
    async (said) => {
      const { runtime, load, file } = await tiny();
      const { versions: _, revision: _revision, name: _name, folder: _folder, ...rest } = runtime;
      const others = JSON.stringify(rest, undefined, 2).replace(/\n}$/, '');
      const revision = said.includes('revision') ? '' : ', "revision": 1';
      writeFileSync(file, `${others}, ${said}${revision}\n}\n`);
      expect(load).toThrow(
        expect.objectContaining({
          code: 'InvalidRuntime',
          message: `${file}: versions: names no version; "npx layers pin tiny" adds the newest`,
        }),
      );
      const [unpinned] = loadRuntimes(dirname(runtime.folder), { unpinned: true });
      await pinVersion(unpinned, undefined, npm);
      expect(Object.keys(load().versions)).toEqual(['1.1.0']);
    },
  );

  test('twice changes nothing', async () => {
    const { runtime, load, file } = await tiny();
    await pinVersion(runtime, '1.1.0', npm);
    const before = readFileSync(file, 'utf8');
    expect(await pinVersion(load(), '1.1.0', npm)).toMatchObject({ added: false });
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test.each([
    ['1.9.0', 'UnknownVersion', /is on npm for arm64 alone.*npm also has 1\.1\.0, 0\.9\.0/],
    ['3', 'UnknownVersion', /is not on npm/],
    ['latest', 'UnknownVersion', /is not a version/],
  ])('%s is refused (%s), and the file stays', async (wanted, code, message) => {
    const { runtime, file } = await tiny();
    const before = readFileSync(file, 'utf8');
    const refused = expect.objectContaining({ code, message: expect.stringMatching(message) });
    await expect(pinVersion(runtime, wanted, npm)).rejects.toEqual(refused);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('an installed package is left alone', async () => {
    const { runtime } = await tiny();
    const installed = { ...runtime, folder: join('/app/node_modules/layers/assets', runtime.name) };
    await expect(pinVersion(installed, '1.1.0', npm)).rejects.toMatchObject({
      code: 'InstalledPackage',
    });
  });

  test('a pin that npm contradicts is refused', async () => {
    const { runtime } = await tiny();
    const changed: PackageVersions = async () => new Map([['1.0.0', integrity('Z')]]);
    await expect(pinVersion(runtime, '1.0.0', changed)).rejects.toMatchObject({
      code: 'IntegrityMismatch',
      message: expect.stringMatching(/tiny 1\.0\.0 for arm64 and x86_64 with another integrity/),
    });
  });
});
