import { resolve } from 'node:path';
import type { BuiltLayer } from '../constructs/runtime-layer';
import { buildLayers, describeSpec, findRuntime, loadRuntimes, resolveLayers } from '../layers';
import type { FetchTarball } from '../layers/download';
import { zipPath } from '../layers/manifests';
import {
  npmVersions,
  type PackageVersions,
  pinnedVersions,
  type ResolvedVersion,
  resolveVersion,
} from '../layers/versions';
import type { Architecture } from '../release';

export interface BuildRuntimeLayerOptions {
  /** Runtime folder's name, `deno`. */
  readonly runtime: string;
  readonly architecture: Architecture;
  /**
   * `2.9.5`, or `2` and `2.9` for the newest one that this package pins. What it does not pin is
   * looked up on npm, with the integrity that the registry names.
   *
   * @default - the newest version that this package pins
   */
  readonly version?: string;
  /**
   * Folder that receives the zip and its manifest; a layer that is there already is used.
   *
   * @default dist/layers
   */
  readonly outDir?: string;
  /**
   * Called with one line for what takes long, or should be known.
   *
   * @default - nothing is said
   */
  readonly onNotice?: (line: string) => void;
}

/** Where what is built comes from; tests have it on this machine. */
export interface LayerSources {
  /** @default npmVersions() */
  readonly packageVersions?: PackageVersions;
  /** @default - npm, as the user has configured it */
  readonly fetchTarball?: FetchTarball;
}

/**
 * Builds a runtime's layer, or finds it built. Call it before the constructs are made.
 *
 * @throws LayersError `UnknownRuntime`, `UnknownVersion`, `VersionLookupFailed`, and what is wrong
 * with the download or the binary
 */
export async function buildRuntimeLayer(
  options: BuildRuntimeLayerOptions & LayerSources,
): Promise<BuiltLayer> {
  const runtime = findRuntime(options.runtime, loadRuntimes());
  const wanted = options.version ?? pinnedVersions(runtime)[0];
  const version = await resolveVersion(runtime, wanted, options.packageVersions ?? npmVersions());
  const [layer] = await buildVersions([version], options.architecture, options);
  return layer;
}

/** Builds layers of one architecture, in the order of the versions. */
export async function buildVersions(
  versions: readonly ResolvedVersion[],
  architecture: Architecture,
  options: Pick<BuildRuntimeLayerOptions, 'outDir' | 'onNotice'> & LayerSources,
): Promise<BuiltLayer[]> {
  const { onNotice = () => {}, fetchTarball } = options;
  const outDir = resolve(options.outDir ?? 'dist/layers');
  const specs = versions.flatMap(({ runtime, version, pinned }) => {
    if (!pinned) {
      onNotice(
        `${runtime.name} ${version} is not pinned by runtime.json: its content is checked against the integrity that the registry names today`,
      );
    }
    const selection = { name: runtime.name, versions: [version], architectures: [architecture] };
    return resolveLayers({ runtimes: [selection] }, [runtime]);
  });
  const manifests = await buildLayers({
    specs,
    outDir,
    fetchTarball,
    onProgress: ({ spec, step }) => {
      if (step === 'fetch') onNotice(`building ${describeSpec(spec)}`);
    },
  });
  return manifests.map((manifest) => ({ manifest, zip: zipPath(manifest, outDir) }));
}
