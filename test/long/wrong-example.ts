import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkout } from '../e2e/support';
import { zip } from '../rehearsal/cloud/fixture';

/** The example function of Node.js as a zip: as it is, and one that answers with another version. */
export async function wrongExample(
  checkout: Checkout,
  handler: string,
): Promise<{ right: Buffer; wrong: Buffer }> {
  const file = `${handler.split('.')[0]}.mjs`;
  const source = readFileSync(join(checkout.root, 'assets/examples/node', file), 'utf8');
  const changed = source.replace('process.versions.node', "'0.0.0'");
  if (changed === source) throw new Error(`${file} does not answer with process.versions.node`);
  return {
    right: zip({ [file]: { content: source } }),
    wrong: zip({ [file]: { content: changed } }),
  };
}
