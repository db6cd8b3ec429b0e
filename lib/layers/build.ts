import { createHash } from 'node:crypto';
import { LayersError } from '../errors';
import { sha256Hex } from '../hash';
import { type LayerManifest, layerName } from '../release';
import { makeFolder, writeWhole } from '../write';
import { assertGlibc } from './bases';
import { libdeflate } from './deflate';
import { layerDigest } from './digest';
import {
  describeSource,
  type FetchFile,
  type FetchTarball,
  fileFetch,
  npmFetch,
  readSource,
} from './download';
import { assertMachine, neededGlibc, readElfHeader, readingElf, stripElf } from './elf';
import { librariesFor } from './libraries';
import { findManifest, writeManifest, zipIsIntact, zipPath } from './manifests';
import { describeSpec, type LayerSpec, licensePath, type TreeFile } from './specs';
import { type ZipWriter, zipWriter } from './zip';

/** Lambda's limit for a function with all its layers, in bytes (250 MB). */
const MAX_UNZIPPED_BYTES = 262_144_000;

/**
 * A layer's deflate fills one core and takes half a gigabyte. Four share two cores evenly, where of
 * two at a time the last one would have both to itself.
 */
const LAYERS_AT_ONCE = 4;

/** What happens to one layer; `seconds` since its start. */
export interface BuildProgress {
  readonly spec: LayerSpec;
  readonly step: 'fetch' | 'check' | 'zip' | 'built' | 'unchanged';
  readonly seconds: number;
  /** With the last two steps. */
  readonly manifest?: LayerManifest;
}

export interface BuildLayersOptions {
  readonly specs: readonly LayerSpec[];
  /** Receives `<name>.zip` and, when that is whole, `<name>.json`. */
  readonly outDir: string;
  readonly onProgress?: (progress: BuildProgress) => void;
  /** @default - npm, as the user has configured it */
  readonly fetchTarball?: FetchTarball;
  /** @default - the vendor's site, through the proxy that npm is configured for */
  readonly fetchFile?: FetchFile;
  /** @default - `zipWriter`, with a compressor that `fetchTarball` gets */
  readonly zip?: ZipWriter;
}

/**
 * Builds layers, four at a time; a layer whose inputs are unchanged and whose zip is whole stays.
 *
 * @returns the manifests in the order of the specs
 * @throws LayersError the fault of the one layer that failed, or `BuildFailed` with all of them
 */
export async function buildLayers(options: BuildLayersOptions): Promise<LayerManifest[]> {
  const { outDir, fetchTarball = npmFetch(), fetchFile = fileFetch() } = options;
  const zip = options.zip ?? zipWriter(libdeflate(fetchTarball));
  const { default: pMap } = await import('p-map');
  await makeFolder(outDir);
  const outcomes = await pMap(
    options.specs,
    async (spec): Promise<Outcome> => {
      const started = performance.now();
      const report = (step: BuildProgress['step'], manifest?: LayerManifest) => {
        const seconds = (performance.now() - started) / 1000;
        options.onProgress?.({ spec, step, seconds, manifest });
      };
      try {
        return {
          manifest: await buildLayer(spec, { outDir, fetchTarball, fetchFile, zip, report }),
        };
      } catch (error) {
        return { error };
      }
    },
    { concurrency: LAYERS_AT_ONCE },
  );
  const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  if (errors.length > 0) throw combined(errors);
  return outcomes.flatMap((outcome) => ('manifest' in outcome ? [outcome.manifest] : []));
}

type Outcome = { readonly manifest: LayerManifest } | { readonly error: unknown };

interface BuildContext {
  readonly outDir: string;
  readonly fetchTarball: FetchTarball;
  readonly fetchFile: FetchFile;
  readonly zip: ZipWriter;
  readonly report: (step: BuildProgress['step'], manifest?: LayerManifest) => void;
}

async function buildLayer(spec: LayerSpec, context: BuildContext): Promise<LayerManifest> {
  const { outDir, report } = context;
  const known = findManifest(spec, [outDir]);
  if (known && (await zipIsIntact(known, outDir))) {
    report('unchanged', known);
    return known;
  }
  const tree = await layerTree(spec, context);
  const files = tree.files.map(({ path, mode, content }) => ({
    path,
    mode,
    bytes: content.length,
    sha256: sha256Hex(content),
  }));
  const unzippedBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  assertSize(spec, unzippedBytes);
  const { license, compatibleRuntimes, revision } = spec.runtime;
  const { version, architecture, description } = spec;
  const metadata = { architecture, compatibleRuntimes, license, description, revision };
  const identity = { runtime: spec.runtime.name, version, architecture };
  const digest = layerDigest(files, metadata);

  report('zip');
  const zip = await context.zip(tree.files);
  const manifest: LayerManifest = {
    schemaVersion: 1,
    ...identity,
    name: layerName({ ...identity, digest }),
    digest,
    codeSha256: createHash('sha256').update(zip).digest('base64'),
    zipBytes: zip.length,
    unzippedBytes,
    license,
    description,
    compatibleRuntimes,
    source: spec.source,
    glibc: tree.glibc,
    files,
    inputs: spec.inputs,
  };
  await writeWhole(zipPath(manifest, outDir), zip);
  await writeManifest(manifest, outDir);
  report('built', manifest);
  return manifest;
}

/** The whole tree, sorted by path, its interpreter checked. */
async function layerTree(
  spec: LayerSpec,
  context: BuildContext,
): Promise<{ files: TreeFile[]; glibc: string }> {
  const { binary, licenseFile } = spec.runtime;
  const what = `${binary.path} of ${describeSource(spec.source)}`;
  const fromPackage = licenseFile.from === 'package' ? [licenseFile.path] : [];

  context.report('fetch');
  const found = await readSource(spec.source, [binary.path, ...fromPackage], context);

  context.report('check');
  const bytes = found.get(binary.path) as Buffer;
  const { glibc, libraries, interpreter } = readingElf(what, () => {
    const header = readElfHeader(bytes, what);
    assertMachine(header, spec.architecture, what);
    const needed = neededGlibc(bytes, header, spec.architecture, what);
    assertGlibc(needed, spec.runtime.compatibleRuntimes, what);
    return {
      glibc: needed,
      libraries: librariesFor({ bytes, header }, spec, what),
      interpreter: binary.strip ? stripElf(bytes, header) : bytes,
    };
  });
  const files: TreeFile[] = [
    ...spec.files,
    ...libraries,
    { path: `bin/${binary.name}`, mode: 0o755, content: interpreter },
    ...fromPackage.map((path) => ({
      path: licensePath(spec.runtime),
      mode: 0o644,
      content: found.get(path) as Buffer,
    })),
  ];
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), glibc };
}

function assertSize(spec: LayerSpec, unzippedBytes: number): void {
  if (unzippedBytes <= MAX_UNZIPPED_BYTES) return;
  throw new LayersError(
    'LayerTooLarge',
    `layer ${describeSpec(spec)} has ${unzippedBytes} bytes unzipped, and Lambda takes ` +
      `${MAX_UNZIPPED_BYTES}; set "binary.strip" or choose a smaller build`,
  );
}

function combined(errors: readonly unknown[]): unknown {
  // A defect keeps its stack: it must not hide in a list of things that the user can put right.
  const defect = errors.find((error) => !(error instanceof LayersError));
  if (defect !== undefined || errors.length === 1) return defect ?? errors[0];
  const faults = (errors as LayersError[]).map(({ code, message }) => `[${code}] ${message}`);
  return new LayersError('BuildFailed', `${errors.length} layers failed: ${faults.join('; ')}`, {
    cause: new AggregateError(errors),
  });
}
