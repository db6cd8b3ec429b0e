import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureTools } from '../../../lib/rehearsal/tools';
import { once } from '../../../lib/rehearsal/tools/cache';

let folder: string;
const { PATH, XDG_CACHE_HOME } = process.env;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-test-'));
});

afterEach(() => {
  process.env.PATH = PATH;
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
  rmSync(folder, { recursive: true, force: true });
});

/** A `python3` that answers the version question and fails as told at `-m venv`. */
function fakePython(version: string, venvSays: string): void {
  const script = `#!/bin/sh
case "$*" in
  *venv*) echo "${venvSays}" >&2; exit 1 ;;
  *) printf '%s\\n' "$0" ${version} /usr linux ;;
esac
`;
  writeFileSync(join(folder, 'python3'), script);
  chmodSync(join(folder, 'python3'), 0o755);
  process.env.PATH = folder;
  process.env.XDG_CACHE_HOME = join(folder, 'cache');
}

describe('ensureTools', () => {
  test('offers programs that run, and a second call downloads and writes nothing', async () => {
    const tools = await ensureTools();
    const said: string[] = [];
    const root = join(tools.rieBin, '..', '..');
    const before = readdirSync(root);

    const again = await ensureTools({ onProgress: (message) => said.push(message) });

    expect(again).toEqual(tools);
    expect(said).toEqual([]);
    expect(readdirSync(root)).toEqual(before);
    const ministack = spawnSync(tools.pythonBin, [
      '-I',
      '-c',
      'import importlib.metadata as m; print(m.version("ministack"))',
    ]);
    expect(ministack.stdout.toString().trim()).toBe('1.5.33');
    expect(spawnSync(tools.awsBin, ['--version']).stdout.toString()).toMatch(/^aws-cli\/1\.46\.3 /);
  }, 600_000);

  test('says what is missing for the other processor, or has it', async () => {
    const { qemu, notAvailable } = await ensureTools();
    if (qemu)
      expect(spawnSync(qemu.static, ['--version']).stdout.toString()).toMatch(/^qemu-aarch64 /);
    else
      expect(notAvailable).toEqual([
        expect.objectContaining({ why: expect.any(String), cure: expect.any(String) }),
      ]);
  });

  test('fails with the package to install when there is no Python', async () => {
    process.env.PATH = folder;
    await expect(ensureTools()).rejects.toMatchObject({
      code: 'PythonMissing',
      message: expect.stringContaining('apt-get install python3 python3-venv'),
    });
  });

  test('fails when Python is older than MiniStack takes', async () => {
    fakePython('3.9.2', '');
    await expect(ensureTools()).rejects.toMatchObject({
      code: 'PythonTooOld',
      message: expect.stringContaining('python3 is 3.9.2'),
    });
  });

  test('fails with the package to install when Python has no venv', async () => {
    fakePython(
      '3.11.2',
      'The virtual environment was not created successfully because ensurepip is not available.',
    );
    await expect(ensureTools()).rejects.toMatchObject({
      code: 'PythonVenvMissing',
      message: expect.stringContaining('python3.11-venv'),
    });
    expect(readdirSync(join(folder, 'cache', 'lambda-runtime-layers'))).toEqual([]);
  });
});

describe('once', () => {
  beforeEach(() => {
    process.env.XDG_CACHE_HOME = folder;
  });

  const root = () => join(folder, 'lambda-runtime-layers');

  test('two builders at once leave one complete folder', async () => {
    const build = async (temporary: string) => {
      writeFileSync(join(temporary, 'half'), '');
      await new Promise((resolve) => setTimeout(resolve, 20));
      writeFileSync(join(temporary, 'whole'), '');
    };
    const [first, second] = await Promise.all([once('thing', build), once('thing', build)]);

    expect(second).toBe(first);
    expect(readdirSync(root())).toEqual(['thing']);
    expect(readdirSync(first).sort()).toEqual(['half', 'whole']);
  });

  test('fails without a trace when the build fails, and the next call builds again', async () => {
    await expect(
      once('thing', async () => Promise.reject(new Error('no network'))),
    ).rejects.toThrow('no network');
    expect(readdirSync(root())).toEqual([]);
    await expect(once('thing', async () => {})).resolves.toBe(join(root(), 'thing'));
  });

  test('removes what a process left that was killed long ago, and not what is being built', async () => {
    const { pid: dead } = spawnSync('true');
    const left = (name: string, hours: number) => {
      const folder = join(root(), name);
      mkdirSync(folder, { recursive: true });
      const time = Date.now() / 1000 - hours * 3600;
      utimesSync(folder, time, time);
    };
    left(`.thing.${dead}.0123abcd`, 7);
    // Perhaps of another container, whose processes are not seen here.
    left(`.thing.${dead}.4567abcd`, 5);
    left(`.other.${process.pid}.0123abcd`, 7);

    await once('thing', async () => {});

    expect(readdirSync(root()).sort()).toEqual([
      `.other.${process.pid}.0123abcd`,
      `.thing.${dead}.4567abcd`,
      'thing',
    ]);
  });
});
