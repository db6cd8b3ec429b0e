import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeZip } from '../../lib/archive';
import { buildLayers } from '../../lib/layers/build';
import { answerFaults, checkLayer } from '../../lib/layers/check';
import { assertChecks } from '../../lib/layers/command';
import { zipPath } from '../../lib/layers/manifests';
import type { FunctionSpec, InvokeResult } from '../../lib/rehearsal/functions';
import type { LayerManifest } from '../../lib/release';
import { temporaryFolder } from '../temporary-folder';
import { fixtureRuntime, PROJECT, tinySpec } from './fixtures';

const event = { smoke: '1' };
const right = { runtime: 'node', version: '24.21.0', architecture: 'arm64', event };
const manifest = { runtime: 'node', version: '24.21.0', architecture: 'arm64' } as LayerManifest;

test('a right answer has no fault, whatever else it carries', () => {
  expect(answerFaults(JSON.stringify({ ...right, statusCode: 200 }), manifest, event)).toEqual([]);
});

test.each([
  [{ ...right, version: '24.20.0' }, '"version" is "24.20.0" instead of "24.21.0"'],
  [{ ...right, architecture: 'x86_64' }, '"architecture" is "x86_64" instead of "arm64"'],
  [{ ...right, runtime: 'deno' }, '"runtime" is "deno" instead of "node"'],
  [{ ...right, event: { smoke: '2' } }, '"event" is {"smoke":"2"} instead of {"smoke":"1"}'],
])('fails for %j', (answer, fault) => {
  expect(answerFaults(JSON.stringify(answer), manifest, event)).toEqual([fault]);
});

test.each(['null', 'not json', ''])('fails for the answer %j', (payload) => {
  expect(answerFaults(payload, manifest, event)).not.toEqual([]);
});

describe('checking a layer', () => {
  const checkWith = async (result: (event: string) => Partial<InvokeResult>) => {
    const { runtimes, fetchTarball } = await fixtureRuntime(temporaryFolder());
    const outDir = temporaryFolder();
    const specs = [tinySpec(runtimes)];
    const [built] = await buildLayers({ specs, outDir, fetchTarball });
    // The fixture's layer under the name of a runtime that has an example.
    const layer = { ...(built as LayerManifest), runtime: 'node' };
    const seen: FunctionSpec[] = [];
    const runner = {
      invoke: async (spec: FunctionSpec, text: string) => {
        seen.push(spec);
        return {
          ...{ payload: '', log: '', milliseconds: 1 },
          ...{ how: 'native' as const, isolation: 'none' as const },
          ...result(text),
        };
      },
    };
    const check = await checkLayer(layer, zipPath(layer, outDir), undefined, runner);
    return { check, seen };
  };

  test('passes when the example, on the unpacked zip, answers right', async () => {
    const { check, seen } = await checkWith((text) => ({
      payload: JSON.stringify({
        ...{ runtime: 'node', version: '1.0.0', architecture: 'x86_64' },
        event: JSON.parse(text),
      }),
    }));
    expect(check).toMatchObject({ ok: true, message: '' });
    expect(seen[0]).toMatchObject({ handler: 'index.handler', architecture: 'x86_64' });
    expect(seen[0]?.codeDir.endsWith(join('examples', 'node'))).toBe(true);
  });

  test('fails when the function fails, with its log', async () => {
    const { check } = await checkWith(() => ({
      payload: '{"errorType":"TypeError"}',
      functionError: 'Unhandled',
      log: 'where it happened\n',
    }));
    expect(check).toMatchObject({ ok: false, message: expect.stringContaining('TypeError') });
    expect(check.message).toContain('where it happened');
    expect(() => assertChecks([check], false)).toThrow(
      expect.objectContaining({ code: 'CheckFailed', message: expect.stringContaining('tiny-') }),
    );
    expect(() => assertChecks([check], true)).toThrow(
      expect.objectContaining({ code: 'CheckFailed' }),
    );
  });

  test.each(['SIGINT', 'SIGHUP'] as const)('leaves nothing behind on %s', async (signal) => {
    const [folder, temporary] = [temporaryFolder(), temporaryFolder()];
    const zip = join(folder, 'layer.zip');
    await writeZip(zip, [{ source: __filename, path: 'bootstrap', mode: 0o755 }]);
    const script = `
      require('ts-node').register({ transpileOnly: true, swc: true, project: 'tsconfig.json' });
      const { checkLayer } = require('./lib/layers/check');
      const { readdirSync } = require('node:fs');
      setInterval(() => {}, 1000);
      const invoke = ({ layerDirs }) => {
        console.log(readdirSync(layerDirs[0]).join());
        process.kill(process.pid, '${signal}');
        return new Promise(() => {});
      };
      const manifest = { runtime: 'node', name: 'n', architecture: 'arm64' };
      checkLayer(manifest, ${JSON.stringify(zip)}, undefined, { invoke });`;
    const child = spawn(process.execPath, ['-e', script], {
      cwd: PROJECT,
      env: { ...process.env, TMPDIR: temporary, DISABLE_V8_COMPILE_CACHE: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const [, endedBy] = await once(child, 'close');
    expect([said, endedBy]).toEqual(['bootstrap\n', signal]);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('fails when nothing here runs the architecture, except in a rehearsal', async () => {
    const { check } = await checkWith(() => ({
      how: 'not-run',
      notRun: { what: 'it', why: 'no emulator', cure: 'install qemu' },
    }));
    expect(check).toMatchObject({ ok: false, message: 'no emulator; install qemu' });
    expect(() => assertChecks([check], false)).toThrow(
      expect.objectContaining({
        code: 'CheckFailed',
        message: expect.stringContaining('could not be run: no emulator'),
      }),
    );
    expect(() => assertChecks([check], true)).not.toThrow();
  });
});
