import { LayersError } from '../../lib/errors';
import { findRuntime, loadRuntimes } from '../../lib/layers';
import { resolveVersion as resolve } from '../../lib/layers/versions';
import { buildRuntimeLayer } from '../../lib/standalone';
import { noVendor, packageVersions } from './fixture';

const deno = findRuntime('deno', loadRuntimes());
const resolveVersion = (
  wanted: string,
  versions = packageVersions,
  architecture: 'arm64' | 'x86_64' = 'arm64',
) => resolve(deno, wanted, architecture, { packageVersions: versions, vendorLookup: noVendor });
const offline = async () => {
  throw new LayersError('VersionLookupFailed', 'offline');
};

test.each([
  ['aarch64', 'architecture "aarch64" is not one of Lambda\'s; write arm64'],
  ['sparc', 'architecture "sparc" is not one of Lambda\'s; write arm64 or x86_64'],
  [undefined, 'architecture "undefined" is not one of Lambda\'s; write arm64 or x86_64'],
])('a layer for %s is refused before anything is built', async (architecture, message) => {
  const options = { runtime: 'deno', architecture: architecture as 'arm64' };
  await expect(buildRuntimeLayer(options)).rejects.toMatchObject({
    code: 'UnknownArchitecture',
    message,
  });
});

test('a version that JavaScript gives as a number is refused: it may have lost a digit', async () => {
  const version = 2.1 as unknown as string;
  const options = { runtime: 'deno', architecture: 'arm64', version } as const;
  await expect(buildRuntimeLayer(options)).rejects.toMatchObject({
    code: 'UnknownVersion',
    message: 'deno version 2.1 is not a text; write it in quotes, since the number 2.10 is 2.1',
  });
});

describe('version of a runtime', () => {
  test.each([
    ['2.9.4', '2.9.4'],
    ['v2.9.4', '2.9.4'],
    ['2', '2.9.5'],
    ['v2.9', '2.9.5'],
  ])('%s is %s, pinned, without a look at npm', async (wanted, version) => {
    const found = await resolveVersion(wanted, offline);
    const integrity = deno.versions[version].arm64;
    expect(found).toEqual({
      runtime: deno,
      version,
      architecture: 'arm64',
      source: { package: '@deno/linux-arm64-glibc', version, integrity },
      pinned: true,
    });
  });

  test.each([
    ['v2.7.7', '2.7.7'],
    ['3', '3.0.0'],
  ])('%s is %s of npm, with the integrity that npm names', async (wanted, version) => {
    const found = await resolveVersion(wanted);
    expect(found).toMatchObject({ version, pinned: false });
    expect(found.source).toEqual({
      package: '@deno/linux-arm64-glibc',
      version,
      integrity: `sha512-${'A'.repeat(86)}==`,
    });
  });

  test('is an exact one of npm that only this architecture has', async () => {
    await expect(resolveVersion('2.8.0')).resolves.toMatchObject({ version: '2.8.0' });
  });

  test('fails for a version that does not exist, and names those that do', async () => {
    await expect(resolveVersion('9.9.9')).rejects.toMatchObject({
      code: 'UnknownVersion',
      message:
        'deno version "9.9.9" does not exist; runtime.json pins 2.9.5, 2.9.4; npm also has 3.0.0, 2.7.7, 1.46.3',
    });
  });

  test.each([
    ['2.8.0', 'arm64', 'x86_64'],
    ['2.8', 'arm64', 'x86_64'],
    ['2.6.0', 'x86_64', 'arm64'],
  ] as const)('fails for %s, which exists for %s, on %s', async (wanted, other, architecture) => {
    await expect(resolveVersion(wanted, packageVersions, architecture)).rejects.toThrow(
      `deno version "${wanted}" exists for ${other}, but not for ${architecture}`,
    );
  });

  test.each(['latest', '2.x', '', '2.9.5-rc.1'])('fails for "%s", no version', async (wanted) => {
    await expect(resolveVersion(wanted, offline)).rejects.toThrow('is not a version');
  });

  test('fails for a version that is not pinned when npm cannot be asked', async () => {
    await expect(resolveVersion('2.7.7', offline)).rejects.toMatchObject({
      code: 'VersionLookupFailed',
    });
  });
});
