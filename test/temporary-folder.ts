import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const scratch = mkdtempSync(join(tmpdir(), 'layers-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A new folder that is gone after the test file. */
export function temporaryFolder(): string {
  return mkdtempSync(join(scratch, 'folder-'));
}
