import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LayersError, reasonOf } from './errors';
import { onInterrupt } from './interrupt';

/**
 * Writes a file so that its name exists with the whole content or not at all: into a hidden
 * neighbour first, flushed, then renamed. An interrupt removes the neighbour.
 *
 * @throws LayersError `WriteFailed` (disk full, no permission, …)
 */
export async function writeWhole(
  file: string,
  content: Buffer | string,
  mode = 0o644,
): Promise<void> {
  const partial = join(
    dirname(file),
    `.${basename(file)}.${randomBytes(6).toString('hex')}.partial`,
  );
  const settled = onInterrupt(() => rmSync(partial, { force: true }));
  try {
    await makeFolders(dirname(file));
    const handle = await open(partial, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (cause) {
    // The first fault is the one to tell of.
    await rm(partial, { force: true }).catch(() => undefined);
    throw writeFailed(file, cause);
  } finally {
    settled();
  }
}

/** @throws LayersError `WriteFailed` */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (cause) {
    throw writeFailed(folder, cause);
  }
}

/**
 * Makes sure that files can be made in a folder, for what is written there after a long time only.
 *
 * @throws LayersError `WriteFailed`
 */
export async function assertWritable(folder: string): Promise<void> {
  await makeFolder(folder);
  try {
    await rmdir(await mkdtemp(join(folder, '.writable-')));
  } catch (cause) {
    throw writeFailed(folder, cause);
  }
}

/** {@link writeWhole}, of JSON that a person can read. */
export function writeJson(file: string, value: unknown): Promise<void> {
  return writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Node's own recursive `mkdir` never ends below a folder that takes no others, such as /proc. */
async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder);
    return;
  } catch (error) {
    if (await isFolder(folder)) return;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder)
      throw error;
  }
  await makeFolders(dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process was quicker.
    if (!(await isFolder(folder))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

function writeFailed(path: string, cause: unknown): LayersError {
  const reason = reasonOf(cause);
  return new LayersError(
    'WriteFailed',
    `${path} could not be written: ${reason}; check the folder and the free space`,
    { cause },
  );
}
