import {
  accessSync,
  constants,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTemporary } from '../temporary';
import { isLeftover } from './processes';

/** The file system in memory that every Linux has. */
const MEMORY = '/dev/shm';

/** Several times what a rehearsal of the shipped configuration takes. */
const NEEDED_BYTES = 6 * 1024 ** 3;

const PREFIX = 'layers-rehearsal-';
/** File in a folder, with the id of the process that removes it. */
const OWNER_FILE = 'owner.pid';

/**
 * Folder for what a rehearsal writes and removes again: the one of TMPDIR; without it memory, where
 * that has room, because the actions unpack tens of thousands of small files; the system's
 * temporary folder otherwise.
 */
export function scratchFolder(environment = process.env): string {
  if (environment.TMPDIR) return environment.TMPDIR;
  return hasRoom() ? MEMORY : tmpdir();
}

/**
 * A new folder there, this process's to remove. Those of processes that were killed long ago, and so
 * could not remove them, are removed.
 */
export function makeScratch(): string {
  const parent = scratchFolder();
  const folder = makeTemporary(PREFIX, parent);
  giveScratch(folder, process.pid);
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const other = join(parent, name);
    const owner = ownerOf(other);
    if (owner && isLeftover(other, owner)) rmSync(other, { recursive: true, force: true });
  }
  return folder;
}

/** Makes a folder another process's to remove. */
export function giveScratch(folder: string, pid: number): void {
  writeFileSync(join(folder, OWNER_FILE), String(pid));
}

/** Undefined for a folder that has just been made, is being removed, or is another user's. */
function ownerOf(folder: string): number | undefined {
  try {
    return Number(readFileSync(join(folder, OWNER_FILE), 'utf8')) || undefined;
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

function hasRoom(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= NEEDED_BYTES && availableMemory() >= NEEDED_BYTES && runsPrograms();
  } catch (error) {
    // Neither file is there on another kind of Unix, or in a container that hides them.
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function availableMemory(): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** Builds run programs from their folder, which some machines forbid there. */
function runsPrograms(): boolean {
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, folder]) => folder === MEMORY);
  return mount !== undefined && !mount[3]?.split(',').includes('noexec');
}
