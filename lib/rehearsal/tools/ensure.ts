import { join } from 'node:path';
import { LayersError } from '../../errors';
import type { Architecture } from '../../release';
import { ensureEmulator } from './emulator';
import type { EmulatorTools, EnsureToolsOptions, Tools } from './model';
import { ensurePython } from './python';
import { ensureQemu } from './qemu';

/**
 * The programs that the rehearsal runs, downloaded once into
 * `$XDG_CACHE_HOME/lambda-runtime-layers` (default `~/.cache`) and checked against pinned
 * hashes. Needs Linux and a system Python with venv; a missing qemu is reported, not an error.
 */
export async function ensureTools(options: EnsureToolsOptions = {}): Promise<Tools> {
  const venv = await ensurePython(options.onProgress ?? (() => {}));
  const emulator = await ensureEmulatorTools(options);
  return {
    ...emulator,
    pythonBin: join(venv, 'bin', 'python'),
    awsBin: join(venv, 'bin', 'aws'),
  };
}

/** The part of {@link ensureTools} that running a function takes: what a build machine needs. */
export async function ensureEmulatorTools(
  options: EnsureToolsOptions = {},
): Promise<EmulatorTools> {
  const onProgress = options.onProgress ?? (() => {});
  const native = nativeArchitecture();
  const rieBin = await ensureEmulator(native, onProgress);
  const qemu = await ensureQemu(native, onProgress);
  const tools = { rieBin, native };
  return 'why' in qemu ? { ...tools, notAvailable: [qemu] } : { ...tools, qemu, notAvailable: [] };
}

function nativeArchitecture(): Architecture {
  if (process.platform === 'linux') {
    if (process.arch === 'x64') return 'x86_64';
    if (process.arch === 'arm64') return 'arm64';
  }
  throw new LayersError(
    'MachineNotSupported',
    `the rehearsal runs Lambda's own Linux programs on x86_64 or arm64, and this is ${process.platform} on ${process.arch}: use a Linux machine or virtual machine`,
  );
}
