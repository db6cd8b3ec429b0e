import { type Dirent, readdirSync } from 'node:fs';
import { LayersError } from './errors';

/**
 * What is in a folder; nothing where it does not exist.
 *
 * @throws LayersError `NotAFolder`
 */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code !== 'ENOTDIR') throw cause;
    throw new LayersError(
      'NotAFolder',
      `${folder} has to be a folder, and it or what it lies in is a file; remove that file`,
      { cause },
    );
  }
}
