import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { writeWhole } from '../write';

/**
 * Bundles the publish and smoke commands with everything they need into one CommonJS file, so
 * that their actions run without `npm ci`. The same sources give the same bytes.
 *
 * @param file where to write it, `dist/release/tools.cjs`
 */
export async function bundleTools(file: string): Promise<void> {
  const root = resolve(__dirname, '../..');
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [join(__dirname, 'tools-entry.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: [],
    write: false,
    logLevel: 'warning',
  });
  await writeWhole(resolve(file), Buffer.from(outputFiles[0].contents));
}
