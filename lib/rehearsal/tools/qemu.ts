import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Architecture } from '../../release';
import { exists, once } from './cache';
import { run } from './command';
import type { NotAvailable, Qemu } from './model';

const PACKAGES = [
  'qemu-user-static',
  'libc6-arm64-cross',
  'libstdc++6-arm64-cross',
  'libgcc-s1-arm64-cross',
];
const LOADER = join('lib', 'ld-linux-aarch64.so.1');
const SYSTEM_SYSROOT = '/usr/aarch64-linux-gnu';

const CURE =
  'sudo apt-get install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross (elsewhere: an arm64 machine, or those files as qemu-aarch64-static on PATH and /usr/aarch64-linux-gnu)';

/** What emulates arm64 on an x86_64 machine: installed, else fetched, else said to be missing. */
export async function ensureQemu(
  native: Architecture,
  onProgress: (message: string) => void,
): Promise<Qemu | NotAvailable> {
  if (native === 'arm64') {
    return {
      what: 'x86_64 functions',
      why: 'this machine is arm64, and nothing here emulates x86_64',
      cure: 'run the x86_64 part on an x86_64 machine',
    };
  }
  const installed = await findOnPath('qemu-aarch64-static');
  if (installed && (await exists(join(SYSTEM_SYSROOT, LOADER)))) {
    return describe(installed, SYSTEM_SYSROOT);
  }
  const fetched = await fetchDebian(onProgress);
  if ('why' in fetched) return { what: 'arm64 functions', why: fetched.why, cure: CURE };
  return describe(
    join(fetched.folder, 'usr', 'bin', 'qemu-aarch64-static'),
    join(fetched.folder, 'usr', 'aarch64-linux-gnu'),
  );
}

async function describe(path: string, sysroot: string): Promise<Qemu> {
  const binary = await readFile(path, 'latin1');
  const prefix = /\0(\/[\w./-]*qemu[\w-]*\/(?:qemu-)?aarch64)\0/.exec(binary)?.[1];
  return { static: path, sysroot, prefix };
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder && (await exists(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** Unpacks Debian's packages into the cache: apt checks their signatures, nothing is installed. */
async function fetchDebian(
  onProgress: (message: string) => void,
): Promise<{ folder: string } | { why: string }> {
  if (!(await findOnPath('apt-get')) || !(await findOnPath('dpkg'))) {
    return { why: 'qemu-aarch64-static and its C library are not installed, and there is no apt' };
  }
  const release = await readFile('/etc/os-release', 'utf8').catch(() => 'unknown');
  const key = createHash('sha256').update(release).update(PACKAGES.join()).digest('hex');
  let why = '';
  try {
    const folder = await once(`qemu-${key.slice(0, 16)}`, async (temporary) => {
      onProgress('downloading qemu for arm64 (Debian packages, not installed)');
      const debs = join(temporary, 'debs');
      await mkdir(debs);
      why = await download(debs);
      if (why) throw new Error(why);
      for (const file of (await readdir(debs)).filter((name) => name.endsWith('.deb'))) {
        const unpacked = await run('dpkg', ['-x', join(debs, file), temporary]);
        if (unpacked.status !== 0) {
          why = `dpkg -x ${file} failed: ${unpacked.stderr.trim()}`;
          throw new Error(why);
        }
      }
      await rm(debs, { recursive: true });
      if (!(await exists(join(temporary, 'usr', 'bin', 'qemu-aarch64-static')))) {
        why = `${PACKAGES[0]} of this distribution holds no qemu-aarch64-static`;
        throw new Error(why);
      }
      await removeOtherProcessors(join(temporary, 'usr', 'bin'));
    });
    return { folder };
  } catch (error) {
    if (!why) throw error;
    return { why };
  }
}

/** The package holds an emulator of every processor there is, hundreds of megabytes. */
async function removeOtherProcessors(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== 'qemu-aarch64-static') await rm(join(folder, name));
  }
}

/** Empty when it worked, else why not. Tries the machine's own package lists first. */
async function download(folder: string): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C' };
  const own = await run('apt-get', ['download', ...PACKAGES], { cwd: folder, env });
  if (own.status === 0) return '';
  const state = join(folder, 'apt');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'cache', 'archives', 'partial'), { recursive: true });
  const options = [
    `-oDir::State::lists=${join(state, 'lists')}`,
    `-oDir::Cache=${join(state, 'cache')}`,
    '-oAPT::Sandbox::User=',
    '-oDebug::NoLocking=1',
  ];
  const update = await run('apt-get', [...options, 'update'], { cwd: folder, env });
  const again = await run('apt-get', [...options, 'download', ...PACKAGES], { cwd: folder, env });
  if (again.status === 0) return '';
  const said = (again.stderr.trim() || update.stderr.trim()).split('\n').slice(-2).join('; ');
  return `qemu is not installed, and apt-get could not download it: ${said}`;
}
