import { join } from 'node:path';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { LayersError } from '../errors';
import { parseNames, parseTypedPath } from '../options';
import { FunctionRunner } from '../rehearsal/functions';
import { ARCHITECTURES, type Architecture, type LayerManifest } from '../release';
import { writeWhole } from '../write';
import { type BuildProgress, buildLayers } from './build';
import { checkLayer, type LayerCheck } from './check';
import { configuredRuntimes } from './configured';
import { layerContents } from './contents';
import { EXAMPLES_ROOT } from './examples';
import { writeManifest, zipPath } from './manifests';
import { findRuntime, loadRuntimes } from './runtimes';
import { layerSbom } from './sbom';
import { selectRuntimes } from './selection';
import { describeSpec, resolveLayers } from './specs';

interface Options {
  readonly runtime?: string[];
  readonly version?: string[];
  readonly arch: Architecture | 'all';
  readonly out: string;
  readonly manifests?: string;
  readonly sbom?: string;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** `layers build`: what the pipeline's build actions run, and a person on a laptop. */
export function buildCommand(): Command {
  return new Command('build')
    .description('build layers from the pinned interpreters')
    .option('--runtime <names>', 'runtimes, comma-separated (default: as in cdk.json)', parseNames)
    .option('--version <versions>', 'exact versions, comma-separated, of one runtime', parseNames)
    .addOption(
      new Option('--arch <architecture>', 'architecture')
        .choices([...ARCHITECTURES, 'all'])
        .default('all'),
    )
    .option(
      '--out <folder>',
      'where the zips and their manifests go',
      parseTypedPath('build:layers'),
      'dist/layers',
    )
    .option(
      '--manifests <folder>',
      'also write the manifests, without the zips, there',
      parseTypedPath('build:layers'),
    )
    .option(
      '--sbom <folder>',
      "write each layer's bill of materials (CycloneDX) there",
      parseTypedPath('build:layers'),
    )
    .option('--check', "run each layer's example under the Runtime Interface Emulator")
    .option('--json', 'print one JSON array instead of lines')
    .action(run);
}

async function run(options: Options): Promise<void> {
  const print = options.json ? () => {} : (line: string) => console.log(line);
  const available = loadRuntimes();
  const selection = selectRuntimes(
    {
      runtimes: options.runtime,
      versions: options.version,
      architecture: options.arch === 'all' ? undefined : options.arch,
    },
    // Without cdk.json a build of named versions still works.
    options.runtime && options.version ? [] : configuredRuntimes(),
    available,
  );
  const finished = new Map<LayerManifest, BuildProgress>();
  const manifests = await buildLayers({
    specs: resolveLayers({ runtimes: selection }, available),
    outDir: options.out,
    onProgress: (progress) => {
      if (!progress.manifest) return;
      finished.set(progress.manifest, progress);
      print(describeBuild(progress, progress.manifest));
    },
  });
  if (options.manifests !== undefined) {
    for (const manifest of manifests) await writeManifest(manifest, options.manifests);
  }
  if (options.sbom !== undefined) {
    for (const manifest of manifests) {
      const text = await layerSbom(manifest, findRuntime(manifest.runtime, available));
      await writeWhole(join(options.sbom, `${manifest.name}.cdx.json`), text);
    }
  }
  const checks = options.check ? await checkAll(manifests, options.out, print) : [];
  if (options.json) {
    const report = manifests.map((manifest) => {
      const { inputs: _inputs, ...layer } = manifest;
      const files = layerContents(manifest, findRuntime(manifest.runtime, available));
      const { step, seconds } = finished.get(manifest) as BuildProgress;
      const { ok, how, message } = checks.find((check) => check.manifest === manifest) ?? {};
      const check = ok === undefined ? undefined : { ok, how, message };
      return { ...layer, files, result: step, seconds: Number(seconds.toFixed(2)), check };
    });
    console.log(JSON.stringify(report, null, 2));
  }
  assertChecks(checks, process.env.LAYERS_REHEARSAL === '1');
}

async function checkAll(
  manifests: readonly LayerManifest[],
  outDir: string,
  print: (line: string) => void,
): Promise<LayerCheck[]> {
  const runner = await FunctionRunner.create();
  const checks: LayerCheck[] = [];
  try {
    for (const manifest of manifests) {
      const check = await checkLayer(manifest, zipPath(manifest, outDir), EXAMPLES_ROOT, runner);
      checks.push(check);
      print(describeCheck(check));
    }
  } finally {
    await runner.close();
  }
  return checks;
}

/**
 * A layer that nothing here can run fails a build; a rehearsal reports it and goes on.
 *
 * @throws LayersError `CheckFailed`
 */
export function assertChecks(checks: readonly LayerCheck[], mayNotRun: boolean): void {
  const failed = checks.filter(({ ok, how }) => !ok && !(mayNotRun && how === 'not-run'));
  if (failed.length === 0) return;
  const faults = failed.map(
    ({ manifest, how, message }) =>
      `${manifest.name}${how === 'not-run' ? ' could not be run' : ''}: ${message}`,
  );
  throw new LayersError(
    'CheckFailed',
    `${failed.length} of ${checks.length} layers failed their check: ${faults.join('; ')}`,
  );
}

function describeBuild({ spec, step, seconds }: BuildProgress, manifest: LayerManifest): string {
  const result = step === 'built' ? pc.green('built    ') : pc.dim('unchanged');
  const { name, zipBytes, unzippedBytes } = manifest;
  const sizes = `${megabytes(zipBytes)} zipped, ${megabytes(unzippedBytes)} unzipped`;
  return `${result} ${describeSpec(spec)}  ${name}  ${sizes}, ${seconds.toFixed(1)} s`;
}

function describeCheck({ manifest, ok, how, message, milliseconds }: LayerCheck): string {
  if (how === 'not-run') return `${pc.yellow('not run:')} ${manifest.name}: ${message}`;
  const result = ok ? pc.green('answered ') : pc.red('failed   ');
  const took = `${how}, ${milliseconds.toFixed(0)} ms`;
  return `${result} ${manifest.name}  ${took}${ok ? '' : `: ${message}`}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
