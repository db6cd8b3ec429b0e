import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FunctionRunner } from '../../../lib/rehearsal/functions';
import { ensureTools } from '../../../lib/rehearsal/tools';
import { eventually, makeLayer, makeSpec, processesNaming } from './fixture/layer';

let folder: string;
const { PATH } = process.env;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fallback-test-'));
  makeLayer(join(folder, 'layer'));
  await ensureTools();
}, 600_000);

afterEach(() => {
  process.env.PATH = PATH;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a program fail, as `unshare` does where namespaces are forbidden. */
function forbid(program: string): void {
  const bin = join(folder, `no-${program}`);
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\necho "${program} failed: Operation not permitted" >&2\nexit 1\n`;
  writeFileSync(join(bin, program), script);
  chmodSync(join(bin, program), 0o755);
  process.env.PATH = `${bin}:${process.env.PATH}`;
}

describe('where namespaces are forbidden', () => {
  test('functions of this processor run without isolation, and the report says so', async () => {
    forbid('unshare');
    const runner = await FunctionRunner.create();
    try {
      expect(runner.notAvailable).toContainEqual({
        what: 'isolation of functions',
        why: expect.stringContaining('Operation not permitted'),
        cure: expect.any(String),
      });
      const second = join(folder, 'second');
      mkdirSync(second);
      const layerDirs = [join(folder, 'layer'), second];
      const result = await runner.invoke(makeSpec(folder, { layerDirs }), '{"action":"echo"}');
      expect(result).toMatchObject({
        payload: '{"action":"echo"}',
        how: 'native',
        isolation: 'none',
      });
    } finally {
      await runner.close();
    }
    expect(await eventually(() => processesNaming(folder).length === 0)).toBe(true);
  });

  test('functions run where `setpriv` is missing, too', async () => {
    forbid('unshare');
    forbid('setpriv');
    const runner = await FunctionRunner.create();
    const result = await runner.invoke(makeSpec(folder), '{"action":"echo"}');
    await runner.close();
    expect(result).toMatchObject({ payload: '{"action":"echo"}', isolation: 'none' });
  });

  test('functions of the other processor are not run, and say what would change that', async () => {
    forbid('unshare');
    const runner = await FunctionRunner.create();
    const architecture = process.arch === 'arm64' ? 'x86_64' : 'arm64';
    const result = await runner.invoke(makeSpec(folder, { architecture }), '{}');
    await runner.close();
    expect(result).toMatchObject({
      how: 'not-run',
      payload: '',
      notRun: { why: expect.any(String), cure: expect.any(String) },
    });
  });
});

test('nothing is left of a runner whose process is killed', async () => {
  const script = `
    require('ts-node').register({ transpileOnly: true, swc: true, project: 'tsconfig.json' });
    const { FunctionRunner } = require('./lib/rehearsal/functions');
    (async () => {
      const spec = JSON.parse(process.argv[1]);
      const runner = await FunctionRunner.create();
      await runner.invoke(spec, '{"action":"echo"}');
      const sleeping = runner.invoke(spec, '{"action":"sleep","milliseconds":600000}');
      console.log('running');
      await sleeping;
    })();
  `;
  const spec = makeSpec(folder, { timeoutSeconds: 900, environment: { KILL_TEST: '1' } });
  const child = spawn(process.execPath, ['-e', script, JSON.stringify(spec)], {
    cwd: join(__dirname, '..', '..', '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(processesNaming('KILL_TEST=1').length).toBeGreaterThan(0);

  child.kill('SIGKILL');
  await once(child, 'close');

  expect(await eventually(() => processesNaming('KILL_TEST=1').length === 0)).toBe(true);
  expect(await eventually(() => processesNaming('/opt/runtime.js').length === 0)).toBe(true);
  expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(folder);
}, 60_000);
