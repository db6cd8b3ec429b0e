import { readdirSync } from 'node:fs';
import { context } from '../../cdk.json';
import { parseConfig } from '../../lib/config';
import { planDelivery } from '../../lib/plan';
import { placeholderRelease } from '../../lib/standalone';
import { prepareStandalone } from '../../lib/standalone/prepare';
import { fixtureRuntime } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { ARN } from './fixture';

describe('preparing standalone stacks', () => {
  /** A project with one small runtime, `tiny`; npm offers versions that it does not pin. */
  async function project() {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const notices: string[] = [];
    const layersDir = temporaryFolder();
    const integrities = Object.values(runtimes[0].versions)[0];
    const packageVersions = async (name: string) =>
      new Map([['2.1.0', name === 'tiny-arm64' ? integrities.arm64 : integrities.x86_64]]);
    const onNotice = (line: string) => notices.push(line);
    const options = { runtimes, fetchTarball, packageVersions, layersDir, onNotice };
    const prepare = (flags: object) => prepareStandalone({ ...flags }, options);
    return { prepare, notices, layersDir };
  }

  test('builds a layer that is missing, and says so', async () => {
    const { prepare, notices, layersDir } = await project();
    const plan = await prepare({ architecture: 'x86_64', tinyVersion: 'v1' });
    const { manifest, zip } = plan.runtimes[0].build ?? {};
    expect(manifest).toMatchObject({ runtime: 'tiny', version: '1.0.0', architecture: 'x86_64' });
    expect(readdirSync(layersDir).map((name) => `${layersDir}/${name}`)).toContain(zip);
    expect(notices).toEqual(['building tiny 1.0.0 x86_64']);
  });

  test('builds nothing that is there', async () => {
    const { prepare, notices } = await project();
    const first = await prepare({ architecture: 'arm64' });
    notices.length = 0;
    expect(await prepare({ architecture: 'arm64' })).toEqual(first);
    expect(notices).toEqual([]);
  });

  test('builds nothing for an existing layer', async () => {
    const { prepare, layersDir } = await project();
    const plan = await prepare({ createExample: 'true', layerArn: ARN });
    expect(plan.runtimes.map(({ build }) => build)).toEqual([undefined]);
    expect(readdirSync(layersDir)).toEqual([]);
  });

  test('builds a version that only npm knows, and says what that means', async () => {
    const { prepare, notices } = await project();
    const plan = await prepare({ tinyVersion: '2.1.0' });
    expect(plan.runtimes[0].build?.manifest.version).toBe('2.1.0');
    expect(notices).toEqual([
      'tiny 2.1.0 is not pinned by runtime.json: its content is checked against the integrity that the registry names today',
      'building tiny 2.1.0 arm64',
    ]);
  });

  test('fails before anything is built when a flag is wrong', async () => {
    const { prepare, layersDir } = await project();
    const flags = { architecture: 'x64', tinyVersion: '1.0.0' };
    await expect(prepare(flags)).rejects.toMatchObject({ code: 'InvalidFlags' });
    expect(readdirSync(layersDir)).toEqual([]);
  });
});

test('a placeholder release gives the delivery plan its names, with nothing built', () => {
  const config = parseConfig(context.delivery);
  const folders = { layers: temporaryFolder(), manifests: '', release: '' };
  const { layers, examples } = placeholderRelease(config, folders);
  expect(new Set(layers.map(({ digest }) => digest)).size).toBe(4);
  const plan = planDelivery(config, layers, examples);
  expect(plan.waves.map(({ name }) => name)).toEqual(['pilot', 'production']);
  expect(readdirSync(folders.layers)).toEqual([]);
});
