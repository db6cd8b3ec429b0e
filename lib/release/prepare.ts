import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryConfig } from '../config';
import { entriesOf } from '../folder';
import { buildExamples, buildLayers, findManifest, loadRuntimes, resolveLayers } from '../layers';
import type { ExampleRuntime } from '../plan';
import { writeJson } from '../write';
import { type ReleaseLayer, type ReleasePlan, releaseLayer } from './model';

/** What synth needs to know of the layers and examples of a release. */
export interface Release {
  readonly layers: readonly ReleaseLayer[];
  readonly examples: readonly ExampleRuntime[];
}

/** Folders of one checkout. */
export interface ReleaseFolders {
  /** Where layers are built to, and found. */
  readonly layers: string;
  /** Holds one folder of manifests for each build action. */
  readonly manifests: string;
  /** Input of the publish and smoke actions. */
  readonly release: string;
}

/** Folders below a checkout, as the pipeline's steps hand them to one another. */
export function releaseFolders(root = process.cwd()): ReleaseFolders {
  return {
    layers: join(root, 'dist/layers'),
    manifests: join(root, 'dist/manifests'),
    release: join(root, 'dist/release'),
  };
}

/**
 * Finds the manifests of all configured layers, builds the layers that have none, and zips the
 * example functions.
 *
 * The build actions hand their manifests over. A runtime that is new in this commit has no build
 * action yet, since that comes with the self-mutation that follows: its layers are built here,
 * to the same digest.
 *
 * @param onMissing called before the layers that lack a manifest are built
 * @throws LayersError `NotAFolder`, and what a build throws
 */
export async function prepareRelease(
  config: DeliveryConfig,
  folders: ReleaseFolders,
  onMissing: (names: string[]) => void = () => {},
): Promise<Release> {
  // A file in the place of a folder is known before a layer is built.
  for (const folder of Object.values(folders)) entriesOf(folder);
  const specs = resolveLayers({ runtimes: config.runtimes });
  const dirs = [folders.layers, ...subfolders(folders.manifests)];
  const missing = specs.filter((spec) => findManifest(spec, dirs) === undefined);
  if (missing.length > 0) {
    onMissing(
      missing.map(
        ({ runtime, version, architecture }) => `${runtime.name} ${version} ${architecture}`,
      ),
    );
    await buildLayers({ specs: missing, outDir: folders.layers });
  }
  const layers = specs.map((spec) => {
    const manifest = findManifest(spec, dirs);
    if (!manifest) throw new Error(`no manifest for ${spec.inputs} after its build`);
    return releaseLayer(manifest);
  });
  const runtimes = loadRuntimes().filter(({ name }) =>
    config.runtimes.some((runtime) => runtime.name === name),
  );
  const examplesDir = join(folders.release, 'examples');
  rmSync(examplesDir, { recursive: true, force: true });
  const examples = await buildExamples({ runtimes, outDir: examplesDir });
  return {
    layers,
    examples: examples.map((example) => ({
      ...example,
      memory: runtimes.find(({ name }) => name === example.runtime)?.example.memoryMb ?? 512,
    })),
  };
}

/** Writes `release.json`, which the publish and smoke actions read. */
export function writeReleasePlan(plan: ReleasePlan, folders: ReleaseFolders): Promise<void> {
  return writeJson(join(folders.release, 'release.json'), plan);
}

function subfolders(dir: string): string[] {
  return entriesOf(dir)
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => join(dir, entry.name));
}
