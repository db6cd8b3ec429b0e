import { LayersError } from '../../lib/errors';
import { findRuntime, loadRuntimes } from '../../lib/layers';
import { resolveVersion } from '../../lib/layers/versions';
import { packageVersions } from './fixture';

const deno = findRuntime('deno', loadRuntimes());
const offline = async () => {
  throw new LayersError('VersionLookupFailed', 'offline');
};

describe('version of a runtime', () => {
  test.each([
    ['2.9.4', '2.9.4'],
    ['v2.9.4', '2.9.4'],
    ['2', '2.9.5'],
    ['v2.9', '2.9.5'],
  ])('%s is %s, pinned, without a look at npm', async (wanted, version) => {
    const found = await resolveVersion(deno, wanted, offline);
    expect(found).toEqual({ runtime: deno, version, pinned: true });
  });

  test.each([
    ['v2.7.7', '2.7.7'],
    ['3', '3.0.0'],
  ])('%s is %s of npm, with the integrity that npm names', async (wanted, version) => {
    const found = await resolveVersion(deno, wanted, packageVersions);
    expect(found).toMatchObject({ version, pinned: false });
    const integrity = `sha512-${'A'.repeat(86)}==`;
    expect(found.runtime.versions).toEqual({
      ...deno.versions,
      [version]: { arm64: integrity, x86_64: integrity },
    });
  });

  test('fails for a version that does not exist, and names those that do', async () => {
    await expect(resolveVersion(deno, '9.9.9', packageVersions)).rejects.toMatchObject({
      code: 'UnknownVersion',
      message:
        'deno version "9.9.9" does not exist; runtime.json pins 2.9.5, 2.9.4; npm also has 3.0.0, 2.7.7, 1.46.3',
    });
  });

  test.each([
    ['2.8.0', 'x86_64'],
    ['2.6.0', 'arm64'],
  ])('fails for %s, which %s lacks', async (wanted, architecture) => {
    await expect(resolveVersion(deno, wanted, packageVersions)).rejects.toThrow(
      `deno version "${wanted}" exists, but not for ${architecture}`,
    );
  });

  test.each(['latest', '2.x', '', '2.9.5-rc.1'])('fails for "%s", no version', async (wanted) => {
    await expect(resolveVersion(deno, wanted, offline)).rejects.toThrow('is not a version');
  });

  test('fails for a version that is not pinned when npm cannot be asked', async () => {
    await expect(resolveVersion(deno, '2.7.7', offline)).rejects.toMatchObject({
      code: 'VersionLookupFailed',
    });
  });
});
