import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LayersError } from '../errors';
import { sha256Hex } from '../hash';
import { ARCHITECTURES, type Architecture, type LayerSource } from '../release';
import { bootstrapFor, ownProgram } from './bootstraps';
import { runtimeLibraries } from './libraries';
import { findRuntime, loadRuntimes, type Runtime } from './runtimes';
import { bundleShim, shimName } from './shim';
import { ZIP_FORMAT } from './zip';

/**
 * Version of this builder: raise it when the same inputs would give another tree or another zip.
 * Layers built before are then built again.
 */
const BUILDER_FORMAT = 1;

/** Runtimes, exact versions and architectures to build. */
export interface RuntimeSelection {
  readonly name: string;
  readonly versions: readonly string[];
  readonly architectures: readonly Architecture[];
}

/** A file as it goes into a zip. */
export interface TreeFile {
  /** Path inside the zip, with forward slashes. */
  readonly path: string;
  /** POSIX permission bits, 0o755 or 0o644. */
  readonly mode: number;
  readonly content: Buffer;
}

/** One layer to build: everything about it that is known without a download. */
export interface LayerSpec {
  readonly runtime: Runtime;
  readonly version: string;
  readonly architecture: Architecture;
  readonly source: LayerSource;
  readonly description: string;
  /** The runtime folder's share of the layer's tree. */
  readonly files: readonly TreeFile[];
  /** Shared libraries that go into the tree if the interpreter turns out to need them. */
  readonly libraries: readonly TreeFile[];
  /** Fingerprint (64 hex digits) of everything the build reads: the same value, the same layer. */
  readonly inputs: string;
}

/**
 * The layers of a selection, in its order, architectures innermost.
 *
 * @throws LayersError `UnknownRuntime`, `UnknownVersion` (they list what exists), `MissingBootstrap`,
 * `InvalidBootstrap`, `NotElf`, `WrongArchitecture`, `MissingShim`, `InvalidShim`, `MissingLicense`
 */
export function resolveLayers(
  selection: { readonly runtimes: readonly RuntimeSelection[] },
  available: readonly Runtime[] = loadRuntimes(),
): LayerSpec[] {
  return selection.runtimes.flatMap(({ name, versions, architectures }) => {
    const runtime = findRuntime(name, available);
    const files = folderFiles(runtime);
    return versions.flatMap((version) =>
      ARCHITECTURES.filter((architecture) => architectures.includes(architecture)).map(
        (architecture) => {
          const source = pinnedSource(runtime, version, architecture);
          return layerSpec({ runtime, version, architecture, source }, files);
        },
      ),
    );
  });
}

/**
 * The layer of one version whose source was looked up, pinned or not.
 *
 * @throws LayersError as `resolveLayers`, but for names and versions
 */
export function specOf(layer: SourcedLayer): LayerSpec {
  return layerSpec(layer, folderFiles(layer.runtime));
}

/** A layer, and where its interpreter comes from. */
export type SourcedLayer = Pick<LayerSpec, 'runtime' | 'version' | 'architecture' | 'source'>;

/** `deno 2.9.5 arm64`, for messages. */
export function describeSpec(spec: Pick<LayerSpec, 'version' | 'architecture' | 'runtime'>) {
  return `${spec.runtime.name} ${spec.version} ${spec.architecture}`;
}

/** Where the licence text lies in the layer: a folder a runtime, so that merged layers keep theirs. */
export function licensePath(runtime: Runtime): string {
  return `share/licenses/${runtime.name}/LICENSE`;
}

/** Licence text of what this project adds to a layer. */
export const OWN_LICENSE_PATH = 'share/licenses/lambda-runtime-layers/LICENSE';
/** Licence texts of the C library, and the compiler's own, that our bootstraps are linked with. */
export const BOOTSTRAP_LICENSE_PATH = 'share/licenses/bootstrap/LICENSE';
const BOOTSTRAP_LICENSE_FILE = resolve(__dirname, '../../assets/bootstrap/LICENSE');
const OWN_LICENSE_FILE = resolve(__dirname, '../../LICENSE');

function pinnedSource(runtime: Runtime, version: string, architecture: Architecture): LayerSource {
  const integrity = runtime.versions[version]?.[architecture];
  if (integrity === undefined) {
    throw new LayersError(
      'UnknownVersion',
      `runtime ${runtime.name} has no version "${version}"; ` +
        `runtime.json pins ${Object.keys(runtime.versions).join(', ')}`,
    );
  }
  return { package: runtime.packages[architecture], version, integrity };
}

function layerSpec(layer: SourcedLayer, folder: readonly TreeFile[]): LayerSpec {
  const { runtime, version, architecture, source } = layer;
  const description = runtime.description.replaceAll('{version}', version);
  const content = bootstrapFor(runtime, version, architecture);
  const files = [{ path: 'bootstrap', mode: 0o755, content }, ...folder];
  const libraries = runtimeLibraries(runtime, architecture);
  const inputs = fingerprint([
    `builder ${BUILDER_FORMAT}`,
    ZIP_FORMAT,
    runtime.name,
    version,
    architecture,
    source,
    description,
    runtime.license,
    runtime.compatibleRuntimes,
    runtime.revision,
    runtime.binary,
    runtime.licenseFile,
    [...files, ...libraries].map((file) => [file.path, file.mode, sha256Hex(file.content)]),
  ]);
  return { runtime, version, architecture, source, description, files, libraries, inputs };
}

function fingerprint(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Modes are set here, so neither a checkout nor a umask can lose the executable bit. */
function folderFiles(runtime: Runtime): TreeFile[] {
  requireFile(runtime, runtime.shim, 'MissingShim');
  const shim = bundleShim(runtime);
  const files: TreeFile[] = [
    { path: shimName(runtime), mode: 0o644, content: shim },
    { path: OWN_LICENSE_PATH, mode: 0o644, content: readFileSync(OWN_LICENSE_FILE) },
  ];
  if (ownProgram(runtime)) {
    files.push({
      path: BOOTSTRAP_LICENSE_PATH,
      mode: 0o644,
      content: readFileSync(BOOTSTRAP_LICENSE_FILE),
    });
  }
  if (runtime.licenseFile.from === 'folder') {
    const content = requireFile(runtime, runtime.licenseFile.path, 'MissingLicense');
    files.push({ path: licensePath(runtime), mode: 0o644, content });
  }
  return files;
}

function requireFile(runtime: Runtime, name: string, code: string): Buffer {
  const file = join(runtime.folder, name);
  if (!existsSync(file)) {
    throw new LayersError(code, `runtime ${runtime.name} has no file ${file}; add it`);
  }
  return readFileSync(file);
}
