import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that has to do with a folder. */
export interface Trace {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that name a folder in their command line, environment, working folder or mounts: whatever
 * a rehearsal started below it, functions in namespaces of their own included.
 */
export function tracesOf(folder: string): Trace[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = read(pid, 'cmdline').replaceAll('\0', ' ').trim();
      const state = /^State:\s+(\S)/m.exec(read(pid, 'status'))?.[1];
      // A zombie has ended; whoever started it merely has not looked yet.
      if (state === undefined || state === 'Z') return [];
      const texts = [command, read(pid, 'environ'), read(pid, 'mountinfo'), workingFolder(pid)];
      return texts.some((text) => text.includes(folder)) ? [{ pid: Number(pid), command }] : [];
    });
}

/** Mounts of this machine below a folder. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));
}

function read(pid: string, file: string): string {
  return ignoringGone(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
}

function workingFolder(pid: string): string {
  return ignoringGone(() => readlinkSync(`/proc/${pid}/cwd`));
}

/** Processes end while one looks, and other users' cannot be read. */
function ignoringGone(look: () => string): string {
  try {
    return look();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'].includes(code ?? '')) return '';
    throw error;
  }
}
