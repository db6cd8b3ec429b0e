import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryConfig } from '../config';
import { buildExamples, buildLayers, findManifest, loadRuntimes, resolveLayers } from '../layers';
import type { ExampleRuntime } from '../plan';
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
 */
export async function prepareRelease(
  config: DeliveryConfig,
  folders: ReleaseFolders,
  onMissing: (names: string[]) => void = () => {},
): Promise<Release> {
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
export function writeReleasePlan(plan: ReleasePlan, folders: ReleaseFolders): void {
  mkdirSync(folders.release, { recursive: true });
  writeFileSync(join(folders.release, 'release.json'), `${JSON.stringify(plan, null, 2)}\n`);
}

function subfolders(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map((entry) => join(dir, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
