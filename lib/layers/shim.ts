import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildFailure, buildSync } from 'esbuild';
import { LayersError } from '../errors';
import type { Runtime } from './runtimes';

/** Extension of the entry to that of the bundle, which says how an interpreter reads the file. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  '.mts': '.mjs',
  '.cts': '.cjs',
  '.ts': '.js',
};

/** Name of the shim in the layer: `runtime.mjs` for `runtime.mts`. */
export function shimName(runtime: Pick<Runtime, 'shim'>): string {
  return runtime.shim.replace(/\.[cm]?ts$/, (extension) => EXTENSIONS[extension] as string);
}

/**
 * Bundles a runtime's shim with what it shares with the others (`assets/runtime-api`) into one
 * readable file. The same sources give the same bytes, wherever the project lies. A comment at the
 * head of the entry stays at the head of the bundle.
 *
 * @throws LayersError `InvalidShim`, with every fault that esbuild found
 */
export function bundleShim(runtime: Runtime): Buffer {
  try {
    const { outputFiles } = buildSync({
      // Names in the bundle's comments are relative to it.
      absWorkingDir: runtime.folder,
      entryPoints: [runtime.shim],
      bundle: true,
      platform: 'neutral',
      external: ['node:*'],
      target: 'es2022',
      format: shimName(runtime).endsWith('.cjs') ? 'cjs' : 'esm',
      // Bun reads a file that it need not translate as Latin-1.
      charset: 'ascii',
      // A tsconfig.json above the folder is the reader's, not the layer's.
      tsconfigRaw: { compilerOptions: { alwaysStrict: true } },
      write: false,
      logLevel: 'silent',
    });
    const bundle = (outputFiles[0] as { text: string }).text;
    return Buffer.from(leadingComment(join(runtime.folder, runtime.shim)) + bundle);
  } catch (cause) {
    const faults = (cause as Partial<BuildFailure>).errors?.map(({ text, location }) => {
      const at = location ? ` (${location.file}:${location.line})` : '';
      return `${text}${at}`;
    });
    if (!faults) throw cause;
    throw new LayersError(
      'InvalidShim',
      `shim ${basename(runtime.shim)} of runtime ${runtime.name} cannot be bundled: ${faults.join('; ')}`,
      { cause },
    );
  }
}

/** What a file begins with: its name for a reader, or a word for its interpreter. */
function leadingComment(file: string): string {
  return /^(?:\/\/.*\r?\n)*/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
}
