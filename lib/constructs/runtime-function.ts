import { statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { Duration, aws_lambda as lambda } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LayersError } from '../errors';
import { findRuntime, loadRuntimes } from '../layers';
import { bundledHandler } from './handler-bundle';
import { lambdaArchitecture, type RuntimeLayer } from './runtime-layer';

/** As for any function; architecture and base come from the layer. */
export interface RuntimeFunctionProps extends Omit<lambda.FunctionOptions, 'architecture'> {
  /** The runtime that runs the function, for the layer's architecture. */
  readonly layer: RuntimeLayer;

  /**
   * File or folder with the handler.
   *
   * A folder is deployed as it is, vendored dependencies and all. Of a file a bundle is made, with
   * what it imports from other files and from `node_modules` in it.
   */
  readonly entry: string;

  /**
   * Name of the exported function; in a folder, `<file>.<function>`.
   *
   * @default - `handler` of a file; in a folder the handler of the runtime's example, such as
   * `mod.handler` or `index.handler`
   */
  readonly handler?: string;

  /**
   * Memory in MB, with processor time in proportion.
   *
   * @default - what the interpreter starts well with, `example.memoryMb` in its runtime.json
   */
  readonly memorySize?: number;

  /**
   * How long an invocation may take.
   *
   * @default Duration.seconds(30)
   */
  readonly timeout?: Duration;

  /**
   * Further layers; the runtime's own comes first.
   *
   * @default - none
   */
  readonly layers?: lambda.ILayerVersion[];
}

/**
 * A function that runs on a runtime layer: `provided.al2023`, the architecture of the layer, and
 * everything that `lambda.Function` has, grants included.
 *
 * ```ts
 * new RuntimeFunction(stack, 'Hello', { layer, entry: 'src/hello.ts' });
 * ```
 *
 * @throws LayersError `InvalidEntry`, `InvalidHandler`, at synth
 */
export class RuntimeFunction extends lambda.Function {
  constructor(scope: Construct, id: string, props: RuntimeFunctionProps) {
    const { layer, entry, handler, memorySize, timeout, layers = [], ...options } = props;
    const runtime = findRuntime(layer.runtime, loadRuntimes());
    const isFile = entryIsFile(entry);
    super(scope, id, {
      ...options,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambdaArchitecture(layer.architecture),
      ...(isFile
        ? fileHandler(scope, runtime.name, entry, handler ?? 'handler')
        : folderHandler(entry, handler ?? runtime.example.handler, runtime.handlerExtensions)),
      memorySize: memorySize ?? runtime.example.memoryMb,
      timeout: timeout ?? Duration.seconds(30),
      layers: [layer.version, ...layers],
    });
  }
}

function entryIsFile(entry: string): boolean {
  const stat = statSync(entry, { throwIfNoEntry: false });
  if (stat) return stat.isFile();
  throw new LayersError(
    'InvalidEntry',
    `entry "${entry}" does not exist; name the handler's file or folder, relative to ${process.cwd()}`,
  );
}

function folderHandler(entry: string, handler: string, extensions?: readonly string[]) {
  const [, file] = /^((?:[^\s]+\/)?[^/.\s]+)\.[^/\s]+$/.exec(handler) ?? [];
  if (file === undefined) {
    throw new LayersError(
      'InvalidHandler',
      `handler "${handler}" is not <file>.<function>; write for example mod.handler`,
    );
  }
  const names = extensions?.map((extension) => file + extension);
  const exists = (name: string) =>
    statSync(join(entry, name), { throwIfNoEntry: false })?.isFile() ?? false;
  if (names && !names.some(exists)) {
    throw new LayersError(
      'InvalidHandler',
      `handler "${handler}" names no file: ${entry} holds none of ${names.join(', ')}`,
    );
  }
  return { code: lambda.Code.fromAsset(entry), handler };
}

function fileHandler(scope: Construct, runtime: string, entry: string, exportName: string) {
  if (!/^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/.test(exportName)) {
    throw new LayersError(
      'InvalidHandler',
      `handler "${exportName}" is not the name of an export of ${entry}; write for example handler`,
    );
  }
  const name = basename(entry, extname(entry)).replaceAll(/[.\s]/g, '-');
  const code = lambda.Code.fromAsset(
    dirname(entry),
    bundledHandler(scope, { runtime, entry, name }),
  );
  return { code, handler: `${name}.${exportName}` };
}
