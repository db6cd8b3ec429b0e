import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../../cache-root';
import { makeFolder } from '../../write';
import { isLeftover } from '../processes';

/**
 * Makes the folder `name` once: `build` fills a temporary sibling, which is then renamed, so
 * that a folder that exists is complete whatever was killed when. Of two processes that build
 * at once, the second to finish discards its own.
 *
 * @returns path of the folder
 */
export async function once(
  name: string,
  build: (temporary: string) => Promise<void>,
): Promise<string> {
  const root = cacheRoot();
  const final = join(root, name);
  if (await exists(final)) return final;
  await makeFolder(root);
  await removeAbandoned(root);
  const temporary = join(root, `.${name}.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(temporary);
    await build(temporary);
    await rename(temporary, final);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if ((code === 'ENOTEMPTY' || code === 'EEXIST') && (await exists(final))) return final;
    throw error;
  }
  return final;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Temporary folders carry their maker's process id. */
async function removeAbandoned(root: string): Promise<void> {
  for (const entry of await readdir(root)) {
    const pid = /^\..+\.(\d+)\.[0-9a-f]{8}$/.exec(entry)?.[1];
    const folder = join(root, entry);
    if (pid && isLeftover(folder, Number(pid))) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
