import { resolve } from 'node:path';
import type { BuiltLayer } from '../constructs/runtime-layer';
import { LayersError } from '../errors';
import { buildLayers, describeSpec, findRuntime, loadRuntimes } from '../layers';
import type { FetchFile, FetchTarball } from '../layers/download';
import { zipPath } from '../layers/manifests';
import { specOf } from '../layers/specs';
import {
  pinnedVersions,
  type ResolvedVersion,
  resolveVersion,
  type VersionSources,
} from '../layers/versions';
import { ARCHITECTURES, type Architecture, meantArchitecture } from '../release';

export interface BuildRuntimeLayerOptions {
  /** Runtime folder's name, `deno`. */
  readonly runtime: string;
  readonly architecture: Architecture;
  /**
   * `2.9.5`, or `2` and `2.9` for the newest one that this package pins. What it does not pin is
   * looked up on npm, and then on the site of the runtime's vendor, with the checksums that these
   * name.
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
export interface LayerSources extends VersionSources {
  /** @default - npm, as the user has configured it */
  readonly fetchTarball?: FetchTarball;
  /** @default - the vendor's site, through the proxy that npm is configured for */
  readonly fetchFile?: FetchFile;
}

/**
 * Builds a runtime's layer, or finds it built. Call it before the constructs are made.
 *
 * @throws LayersError `UnknownRuntime`, `UnknownArchitecture`, `UnknownVersion`,
 * `VersionLookupFailed`, `InvalidSite`, and what is wrong with the download or the binary
 */
export async function buildRuntimeLayer(
  options: BuildRuntimeLayerOptions & LayerSources,
): Promise<BuiltLayer> {
  const runtime = findRuntime(options.runtime, loadRuntimes());
  assertArchitecture(options.architecture);
  const wanted = options.version ?? pinnedVersions(runtime)[0];
  if (typeof wanted !== 'string') {
    throw new LayersError(
      'UnknownVersion',
      `${runtime.name} version ${wanted} is not a text; write it in quotes, since the number 2.10 is 2.1`,
    );
  }
  const version = await resolveVersion(runtime, wanted, options.architecture, options);
  const [layer] = await buildVersions([version], options);
  return layer;
}

/** The type says it; a text that comes from outside, or from JavaScript, may be anything. */
function assertArchitecture(architecture: string | undefined): void {
  if (ARCHITECTURES.some((known) => known === architecture)) return;
  const cure = meantArchitecture(String(architecture)) ?? ARCHITECTURES.join(' or ');
  throw new LayersError(
    'UnknownArchitecture',
    `architecture "${architecture}" is not one of Lambda's; write ${cure}`,
  );
}

/** Builds layers, in the order of the versions. */
export async function buildVersions(
  versions: readonly ResolvedVersion[],
  options: Pick<BuildRuntimeLayerOptions, 'outDir' | 'onNotice'> & LayerSources,
): Promise<BuiltLayer[]> {
  const { onNotice = () => {}, fetchTarball, fetchFile } = options;
  const outDir = resolve(options.outDir ?? 'dist/layers');
  for (const version of versions.filter(({ pinned }) => !pinned)) onNotice(trustNotice(version));
  const specs = versions.map(specOf);
  const manifests = await buildLayers({
    specs,
    outDir,
    fetchTarball,
    fetchFile,
    onProgress: ({ spec, step }) => {
      if (step === 'fetch') onNotice(`building ${describeSpec(spec)}`);
    },
  });
  return manifests.map((manifest) => ({ manifest, zip: zipPath(manifest, outDir) }));
}

/** Whom one believes with a version that this package does not pin. */
function trustNotice({ runtime, version, source }: ResolvedVersion): string {
  const what = `${runtime.name} ${version} is not pinned by runtime.json`;
  return 'url' in source
    ? `${what} and not on npm: ${source.url} is checked against ${source.checksums.url} of today`
    : `${what}: its content is checked against the integrity that the registry names today`;
}
