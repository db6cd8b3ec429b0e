import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readManifests } from '../../lib/layers';
import { buildCommand } from '../../lib/layers/command';
import { HOST, PROJECT, realLayer, temporaryFolder } from './fixtures';

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
    const { files: _files, inputs: _inputs, ...expected } = manifest;
    expect(layer).toEqual({ ...expected, result: 'unchanged', seconds: expect.any(Number) });
  });

  test('hands the manifests, without the zips, to another folder', async () => {
    const manifests = join(temporaryFolder(), 'handed/over');
    await build(...one, '--manifests', manifests);
    expect(readdirSync(manifests)).toEqual([`${manifest.name}.json`]);
    expect(readManifests([manifests])).toEqual([manifest]);
  });

  test('fails for a version that is not pinned', async () => {
    await expect(build('--runtime', 'node', '--version', '1.2.3')).rejects.toMatchObject({
      code: 'UnknownVersion',
    });
  });

  test('fails for an architecture that Lambda does not have', async () => {
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await expect(build('--arch', 'riscv')).rejects.toThrow(/Allowed choices are arm64, x86_64/);
    } finally {
      write.mockRestore();
    }
  });
});
