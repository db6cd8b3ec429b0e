import { statSync, writeSync } from 'node:fs';
import { importFile } from './import-file';
import { original } from './original';
import type { Platform } from './platform';
import { writeAll } from './write-all';

/** A reader that has stopped must not keep the process. */
const FLUSH_MILLISECONDS = 2000;

const timers = original('setTimeout');

/** What interpreters with Node.js's own modules have in common. */
export const nodePlatform = {
  getEnv: (name) => process.env[name],
  setEnv: (name, value) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  },
  currentFolder: () => process.cwd(),
  findFile: (paths) => paths.find(isFile),
  findModule: (name, folder) => {
    try {
      const { createRequire } = process.getBuiltinModule('node:module');
      const file = createRequire(`${folder}/`).resolve(name);
      // What comes with the interpreter has no path.
      return file.startsWith('/') ? file : undefined;
    } catch {
      return undefined;
    }
  },
  loadModule: importFile,
  // Not imported: Bun takes some milliseconds of a start to load it.
  inspect: (value) => process.getBuiltinModule('node:util').inspect(value),
  print,
  exit,
  onUncaught: (callback) => {
    process.on('uncaughtException', callback);
    process.on('unhandledRejection', callback);
  },
  onStuck: (callback) => {
    process.on('beforeExit', callback);
  },
} satisfies Partial<Platform>;

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (error) {
    // Bun's answer where a file stands in place of a folder.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * `process.stdout` would write to a pipe that is full later on, which `process.exit` does not wait
 * for, and making it costs a millisecond of every start.
 */
function print(text: string): void {
  writeAll(
    text,
    (bytes) => writeSync(1, bytes),
    (error) => (error as NodeJS.ErrnoException).code === 'EAGAIN',
  );
}

/** What the handler wrote to `process.stdout` itself may still wait for its reader. */
async function exit(code: number): Promise<void> {
  const flushed = [process.stdout, process.stderr].map(
    (stream) => new Promise((resolve) => stream.write('', resolve)),
  );
  const enough = new Promise((resolve) => timers()(resolve, FLUSH_MILLISECONDS));
  await Promise.race([Promise.allSettled(flushed), enough]);
  process.exit(code);
}
