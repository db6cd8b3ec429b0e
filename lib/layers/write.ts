import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LayersError } from '../errors';

const unfinished = new Set<string>();
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Writes a file so that its name exists with the whole content or not at all: into a hidden
 * neighbour first, flushed, then renamed. An interrupt removes the neighbour.
 *
 * @throws LayersError `WriteFailed` (disk full, no permission, …)
 */
export async function writeWhole(file: string, content: Buffer | string): Promise<void> {
  const partial = join(
    dirname(file),
    `.${basename(file)}.${randomBytes(6).toString('hex')}.partial`,
  );
  watch(partial);
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(partial, 'wx', 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    throw writeFailed(file, cause);
  } finally {
    unwatch(partial);
  }
}

/** @throws LayersError `WriteFailed` */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw writeFailed(folder, cause);
  }
}

function writeFailed(path: string, cause: unknown): LayersError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LayersError(
    'WriteFailed',
    `${path} could not be written: ${reason}; check the folder and the free space`,
    { cause },
  );
}

function watch(partial: string): void {
  if (unfinished.size === 0) for (const signal of SIGNALS) process.once(signal, discard);
  unfinished.add(partial);
}

function unwatch(partial: string): void {
  unfinished.delete(partial);
  if (unfinished.size === 0) for (const signal of SIGNALS) process.off(signal, discard);
}

/** Removes what is half written, then lets the signal do what it would have done. */
function discard(signal: NodeJS.Signals): void {
  for (const partial of unfinished) rmSync(partial, { force: true });
  for (const other of SIGNALS) process.off(other, discard);
  process.kill(process.pid, signal);
}
