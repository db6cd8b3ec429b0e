import { writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { AssetHashType, type AssetOptions, DockerImage, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type BuildFailure, type BuildOptions, buildSync, type OutputFile } from 'esbuild';
import { LayersError } from '../errors';

export interface BundleRequest {
  /** Runtime folder's name, `deno`. */
  readonly runtime: string;
  /** Path of the handler's file. */
  readonly entry: string;
  /** Name of the bundle, without its extension. */
  readonly name: string;
}

/** Packages in the older module system call `require`, which a module does not have by itself. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** What such packages know, and a module does not; a variable of that name stays as it is. */
const FOLDER_OF_MODULE = { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' };

/** Modules of interpreters by names that npm has no packages for. */
const OWN_MODULES: Readonly<Record<string, readonly string[]>> = { bun: ['bun', 'bun:*'] };

/** Only Node.js knows its own modules by their bare names. */
const NODE_MODULES = Object.fromEntries(
  builtinModules
    .filter((name) => !name.startsWith('_') && !name.startsWith('node:'))
    .map((name) => [name, `node:${name}`]),
);

/**
 * Asset options that make one module of a handler's file and everything that it imports. Like
 * aws-cdk-lib's own NodejsFunction, it bundles only for stacks whose assets are wanted.
 *
 * @throws LayersError `BundleFailed`: here, since CDK would wrap what is thrown later on
 */
export function bundledHandler(scope: Construct, request: BundleRequest): AssetOptions {
  const bundle = Stack.of(scope).bundlingRequired ? bundleHandler(request) : undefined;
  return {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: the bundle is made here.
      image: DockerImage.fromRegistry('esbuild'),
      // Never run. CDK takes two assets for one if their folder and these words are the same.
      command: [request.runtime, resolve(request.entry)],
      local: {
        tryBundle(outputDir) {
          writeFileSync(join(outputDir, `${request.name}.mjs`), bundle ?? bundleHandler(request));
          return true;
        },
      },
    },
  };
}

/**
 * The bundle's bytes.
 *
 * @throws LayersError `BundleFailed`, with what could not be resolved and where
 */
export function bundleHandler({ runtime, entry }: BundleRequest): Uint8Array {
  try {
    const bundle = bundled(runtime, {
      entryPoints: [entry],
      define: FOLDER_OF_MODULE,
      banner: { js: REQUIRE },
    });
    const remote = bundle.imports.filter((path) => /^https?:/.test(path));
    if (remote.length > 0) {
      throw failed(entry, `${remote.join(', ')} would be loaded from the network`);
    }
    if (runtime === 'node') return bundle.contents;
    // Only now: an alias also matches what lies below the name, of packages and of tsconfig's paths.
    const contents = Buffer.from(bundle.contents).toString();
    return bundled(runtime, {
      stdin: { contents, sourcefile: basename(entry) },
      alias: NODE_MODULES,
    }).contents;
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (!errors) throw error;
    const faults = errors.map(({ text, location }) =>
      location ? `${location.file}:${location.line}: ${text}` : text,
    );
    throw failed(entry, faults.join('; '), error);
  }
}

function bundled(runtime: string, options: BuildOptions) {
  const { metafile, outputFiles } = buildSync({
    ...options,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: runtime === 'node' ? 'node22' : 'es2023',
    external: [...(OWN_MODULES[runtime] ?? [])],
    legalComments: 'inline',
    logLevel: 'silent',
    metafile: true,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const { contents } = outputFiles[0] as OutputFile;
  return { contents, imports: imports.map(({ path }) => path) };
}

function failed(entry: string, faults: string, cause?: unknown): LayersError {
  return new LayersError(
    'BundleFailed',
    `${entry} could not be bundled: ${faults}; install what it imports with npm, or deploy a folder with vendored modules`,
    { cause },
  );
}
