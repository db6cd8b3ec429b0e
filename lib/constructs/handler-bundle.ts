import { writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { AssetHashType, type AssetOptions, DockerImage, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type BuildFailure, buildSync } from 'esbuild';
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
    const { metafile, outputFiles } = buildSync({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: runtime === 'node' ? 'node22' : 'es2023',
      alias: NODE_MODULES,
      banner: { js: REQUIRE },
      legalComments: 'inline',
      logLevel: 'silent',
      metafile: true,
    });
    const remote = Object.values(metafile.outputs)
      .flatMap((output) => output.imports)
      .map(({ path }) => path)
      .filter((path) => /^https?:/.test(path));
    if (remote.length > 0) {
      throw failed(entry, `${remote.join(', ')} would be loaded from the network`);
    }
    return outputFiles[0].contents;
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (!errors) throw error;
    const faults = errors.map(({ text, location }) =>
      location ? `${location.file}:${location.line}: ${text}` : text,
    );
    throw failed(entry, faults.join('; '), error);
  }
}

function failed(entry: string, faults: string, cause?: unknown): LayersError {
  return new LayersError(
    'BundleFailed',
    `${entry} could not be bundled: ${faults}; install what it imports with npm, or deploy a folder with vendored modules`,
    { cause },
  );
}
