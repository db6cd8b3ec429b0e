import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LayersError } from './errors';

/**
 * A new folder for what is removed again, its name beginning with `prefix`.
 *
 * @throws LayersError `NoTemporaryFolder`
 */
export function makeTemporary(prefix: string, parent = tmpdir()): string {
  try {
    return mkdtempSync(join(parent, prefix));
  } catch (cause) {
    throw new LayersError(
      'NoTemporaryFolder',
      `nothing can be written to ${parent}: ${(cause as Error).message}; let TMPDIR name another folder`,
      { cause },
    );
  }
}
