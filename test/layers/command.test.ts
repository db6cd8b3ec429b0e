import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifests } from '../../lib/layers';
import { buildCommand } from '../../lib/layers/command';
import { temporaryFolder } from '../temporary-folder';
import { HOST, PROJECT, realLayer } from './fixtures';

const outDir = join(PROJECT, 'dist/layers');

async function build(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((line) => lines.push(String(line)));
  try {
    await buildCommand().exitOverride().parseAsync(args, { from: 'user' });
  } finally {
    log.mockRestore();
  }
  return lines.join('\n');
}

describe('layers build', () => {
  let manifest: Awaited<ReturnType<typeof realLayer>>['manifest'];
  let one: string[];
  beforeAll(async () => {
    manifest = (await realLayer('node')).manifest;
    one = ['--runtime', 'node', '--version', manifest.version, '--arch', HOST, '--out', outDir];
  }, 120_000);

  test('prints one line a layer', async () => {
    const output = await build(...one);
    expect(output.split('\n')).toHaveLength(1);
    expect(output).toContain(`unchanged`);
    expect(output).toContain(manifest.name);
  });

  test('prints JSON, and nothing else, on demand', async () => {
    const [layer, ...others] = JSON.parse(await build(...one, '--json'));
    expect(others).toEqual([]);
    const { inputs: _inputs, ...expected } = manifest;
    const files = manifest.files.map(({ mode: _mode, ...file }) => expect.objectContaining(file));
    const result = { result: 'unchanged', seconds: expect.any(Number) };
    expect(layer).toEqual({ ...expected, files, ...result });
  });

  test('lists what the layer carries: where each file comes from, under which licence', async () => {
    const [layer] = JSON.parse(await build(...one, '--json'));
    const { source, version } = manifest;
    const interpreter = `${'package' in source ? source.package : ''}@${version}`;
    const listed = layer.files.map(({ path, origin, license }: Record<string, string>) => [
      path,
      origin,
      license,
    ]);
    expect(listed).toEqual([
      ['bin/node', interpreter, 'MIT'],
      ['bootstrap', `assets/runtimes/node/bin/${HOST}/bootstrap`, 'Apache-2.0 AND MIT'],
      ['lib/node/libatomic.so.1', `assets/runtimes/node/lib/${HOST}/libatomic.so.1`, 'Apache-2.0'],
      ['runtime.cjs', 'assets/runtimes/node/runtime.cts, assets/runtime-api', 'Apache-2.0'],
      ['share/licenses/bootstrap/LICENSE', 'assets/bootstrap/LICENSE', 'MIT'],
      ['share/licenses/lambda-runtime-layers/LICENSE', 'LICENSE', 'Apache-2.0'],
      ['share/licenses/node/LICENSE', interpreter, 'MIT'],
    ]);
    const own = readFileSync(join(PROJECT, 'package.json'), 'utf8');
    expect(JSON.parse(own).license).toBe('Apache-2.0');
  });

  test('hands the manifests, without the zips, to another folder', async () => {
    const manifests = join(temporaryFolder(), 'handed/over');
    await build(...one, '--manifests', manifests);
    expect(readdirSync(manifests)).toEqual([`${manifest.name}.json`]);
    expect(readManifests([manifests])).toEqual([manifest]);
  });

  test('takes each name once', async () => {
    const output = await build('--runtime', 'node,node', ...one.slice(2));
    expect(output.split('\n')).toHaveLength(1);
  });

  test.each([
    [['--runtime', ''], 'names with commas'],
    [['--runtime', 'deno,'], 'names with commas'],
    [['--runtime', 'deno', '--version', ''], 'names with commas'],
    [['--out', ''], 'it is empty'],
    [['--sbom', ' '], 'it is empty'],
    [['--arch', 'riscv'], /Allowed choices are arm64, x86_64/],
  ])('fails for %j, and builds nothing', async (args, message) => {
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await expect(build(...args)).rejects.toThrow(message);
    } finally {
      write.mockRestore();
    }
  });

  test('fails for a version that is not pinned', async () => {
    await expect(build('--runtime', 'node', '--version', '1.2.3')).rejects.toMatchObject({
      code: 'UnknownVersion',
    });
  });
});
