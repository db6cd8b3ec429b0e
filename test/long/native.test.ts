import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ownProgram } from '../../lib/layers/bootstraps';
import { loadRuntimes } from '../../lib/layers/runtimes';
import { ensureEmulatorTools } from '../../lib/rehearsal/tools';
import { type CommandResult, run } from '../../lib/rehearsal/tools/command';
import { pythonEnvironment, pythonWithPip } from '../../lib/rehearsal/tools/python';
import { ARCHITECTURES, type Architecture } from '../../lib/release';
import { HOST, PROJECT } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';

jest.setTimeout(300_000);

const RUNTIMES = join(PROJECT, 'assets/runtimes');
const LIBATOMIC = join(RUNTIMES, 'node/lib');
const HERE = join(__dirname, 'native');
const TARGETS: Readonly<Record<Architecture, string>> = {
  arm64: 'aarch64-linux-gnu',
  x86_64: 'x86_64-linux-gnu',
};

let zig: NodeJS.ProcessEnv;
let python: string;

/** Runs a program that has to succeed. */
async function must(program: string, args: readonly string[], env = process.env) {
  const result = await run(program, args, { env });
  expect(result).toMatchObject({ status: 0 });
}

beforeAll(async () => {
  python = await pythonWithPip(() => undefined);
  const packages = temporaryFolder();
  await must(
    python,
    // biome-ignore format: an option and its value belong together
    ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes',
      '-r', join(HERE, 'ziglang.txt'), '--target', packages],
    pythonEnvironment(),
  );
  const cache = temporaryFolder();
  zig = {
    ...process.env,
    PYTHONPATH: packages,
    ZIG: `${python} -m ziglang`,
    ZIG_GLOBAL_CACHE_DIR: cache,
    ZIG_LOCAL_CACHE_DIR: cache,
  };
});

test('the programs and libraries that the project holds are what their sources give', async () => {
  const out = temporaryFolder();
  await must(join(PROJECT, 'assets/bootstrap/build'), [out], zig);
  const built = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(out, file)).isFile(),
  );
  // The bootstrap of each runtime that has a program, and libatomic.
  const programs = loadRuntimes().filter(ownProgram).length;
  expect(programs).toBeGreaterThan(0);
  expect(built).toHaveLength((programs + 1) * ARCHITECTURES.length);
  for (const file of built) {
    const [made, held] = [out, RUNTIMES].map((folder) => readFileSync(join(folder, file)));
    expect([file, made.equals(held)]).toEqual([file, true]);
  }
});

describe.each(ARCHITECTURES)('libatomic for %s', (architecture) => {
  let program: string;
  beforeAll(async () => {
    program = join(temporaryFolder(), 'caller');
    const library = join(LIBATOMIC, architecture, 'libatomic.so.1');
    await must(
      python,
      // biome-ignore format: an option and its value belong together
      ['-m', 'ziglang', 'cc', '-target', `${TARGETS[architecture]}.2.34`, '-O2', '-pthread',
        join(HERE, 'caller.c'), library, '-o', program],
      zig,
    );
  });

  async function call(...args: string[]): Promise<CommandResult> {
    const path = join(LIBATOMIC, architecture);
    if (architecture === HOST) {
      return run(program, args, { env: { ...process.env, LD_LIBRARY_PATH: path } });
    }
    const { qemu } = await ensureEmulatorTools();
    if (!qemu) throw new Error('nothing here runs programs of the other architecture');
    const variable = `LD_LIBRARY_PATH=${path}`;
    return run(qemu.static, ['-L', qemu.sysroot, '-E', variable, program, ...args]);
  }

  test('swaps whole values only where they are as expected, in threads', async () => {
    // Low and high half, whether a wrong expectation was met, and what was there instead.
    const sum = 4 * 500_000 + 1;
    expect(await call()).toMatchObject({
      status: 0,
      stdout: `${sum} ${sum - 1} 0 ${sum} ${sum - 1}\n`,
    });
  });

  test('ends a program that asks for what it cannot do', async () => {
    const { status, signal } = await call('4');
    // Illegal instruction, or a breakpoint on arm64; qemu gives it as its status or as a signal.
    expect([signal, status]).not.toEqual([undefined, 0]);
    expect(['SIGILL', 'SIGTRAP', 128 + 4, 128 + 5]).toContain(signal ?? status);
  });
});
