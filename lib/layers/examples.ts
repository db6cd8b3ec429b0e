import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { LayersError } from '../errors';
import { sha256Hex } from '../hash';
import type { ExampleManifest } from '../release';
import { writeWhole } from '../write';
import { functionDigest } from './digest';
import type { Runtime } from './runtimes';
import type { TreeFile } from './specs';
import { reproducibleZip } from './zip';

/** Folder of the example functions that this project ships. */
export const EXAMPLES_ROOT = resolve(__dirname, '../../assets/examples');

/** What synth needs to know of an example function: no zip is written for it. */
export interface Example {
  /** Runtime folder's name. */
  readonly runtime: string;
  /** SHA-256 over the file tree, 64 hex digits. */
  readonly digest: string;
  /** Lambda handler string. */
  readonly handler: string;
  readonly memoryMb: number;
}

/** @throws LayersError `MissingExample` */
export function describeExample(runtime: Runtime, examplesRoot = EXAMPLES_ROOT): Example {
  const files = exampleFiles(runtime, examplesRoot);
  return {
    runtime: runtime.name,
    digest: functionDigest(
      files.map(({ path, mode, content }) => ({
        path,
        mode,
        bytes: content.length,
        sha256: sha256Hex(content),
      })),
    ),
    handler: runtime.example.handler,
    memoryMb: runtime.example.memoryMb,
  };
}

/**
 * Zips example functions as `<outDir>/<digest>.zip`, one a runtime and the same for every
 * architecture.
 *
 * @throws LayersError `MissingExample`, `WriteFailed`
 */
export async function buildExamples(options: {
  readonly runtimes: readonly Runtime[];
  readonly outDir: string;
  /** @default EXAMPLES_ROOT */
  readonly examplesRoot?: string;
}): Promise<ExampleManifest[]> {
  const manifests: ExampleManifest[] = [];
  for (const runtime of options.runtimes) {
    const { digest, handler } = describeExample(runtime, options.examplesRoot);
    const zip = await reproducibleZip(exampleFiles(runtime, options.examplesRoot));
    await writeWhole(join(options.outDir, `${digest}.zip`), zip);
    const codeSha256 = createHash('sha256').update(zip).digest('base64');
    manifests.push({ runtime: runtime.name, digest, codeSha256, zipBytes: zip.length, handler });
  }
  return manifests;
}

/**
 * The folder of a runtime's example: `assets/examples/<name>`, or `example` in the runtime's own
 * folder, so that a new runtime can be one folder.
 *
 * @throws LayersError `MissingExample`
 */
export function exampleFolder(runtime: Runtime, examplesRoot = EXAMPLES_ROOT): string {
  const shared = join(examplesRoot, runtime.name);
  const own = join(runtime.folder, 'example');
  const found = [shared, own].find((folder) => existsSync(folder));
  if (found !== undefined) return found;
  throw new LayersError(
    'MissingExample',
    `runtime ${runtime.name} has no example function; add ${shared} or ${own}`,
  );
}

function exampleFiles(runtime: Runtime, examplesRoot?: string): TreeFile[] {
  const folder = exampleFolder(runtime, examplesRoot);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    // An editor's files are not the function's.
    .filter((path) => !path.split('/').some((name) => name.startsWith('.')))
    .filter((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ path, mode: 0o644, content: readFileSync(join(folder, path)) }));
  if (files.length === 0) {
    throw new LayersError('MissingExample', `folder ${folder} is empty; add the handler's file`);
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
