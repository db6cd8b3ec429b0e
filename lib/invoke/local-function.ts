import { rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { extractZip } from '../archive';
import { LayersError } from '../errors';
import { findRuntime, loadRuntimes } from '../layers';
import { exampleFolder } from '../layers/examples';
import { FunctionRunner, type FunctionSpec, type InvokeResult } from '../rehearsal/functions';
import { type EmulatorTools, ensureEmulatorTools } from '../rehearsal/tools';
import type { Architecture, LayerManifest } from '../release';
import { type BuildRuntimeLayerOptions, buildRuntimeLayer } from '../standalone';
import { makeTemporary } from '../temporary';

/** A function to run on this machine. */
export interface LocalFunctionOptions
  extends Pick<BuildRuntimeLayerOptions, 'runtime' | 'version' | 'outDir' | 'onNotice'> {
  /** @default - this machine's own */
  readonly architecture?: Architecture;
  /**
   * Folder with the function's code.
   *
   * @default - the runtime's example
   */
  readonly codeDir?: string;
  /**
   * `<file>.<function>`
   *
   * @default - as in the runtime's example
   */
  readonly handler?: string;
  /** @default - none */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * As the function is told; this machine sets no limit.
   *
   * @default - `example.memoryMb` in the runtime's runtime.json
   */
  readonly memoryMb?: number;
  /** @default 30 */
  readonly timeoutSeconds?: number;
}

/**
 * A function on a runtime's layer, under AWS's Runtime Interface Emulator. Every invocation is a
 * cold start, so that it sees the code as it is now.
 */
export class LocalFunction {
  /**
   * Builds the layer if it is missing, and unpacks it.
   *
   * @throws LayersError `InvalidCode`, and what a build throws
   */
  static async create(options: LocalFunctionOptions): Promise<LocalFunction> {
    const runtime = findRuntime(options.runtime, loadRuntimes());
    const codeDir = options.codeDir ?? exampleFolder(runtime);
    assertFolder(codeDir);
    const tools = await ensureEmulatorTools({ onProgress: options.onNotice });
    const architecture = options.architecture ?? tools.native;
    const { manifest, zip } = await buildRuntimeLayer({ ...options, architecture });
    const layerDir = makeTemporary('layers-invoke-');
    const name = `${manifest.runtime}-function`;
    const self = new LocalFunction(manifest, tools, layerDir, {
      functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      handler: options.handler ?? runtime.example.handler,
      architecture,
      codeDir: resolve(codeDir),
      layerDirs: [layerDir],
      memoryMb: options.memoryMb ?? runtime.example.memoryMb,
      timeoutSeconds: options.timeoutSeconds ?? 30,
      environment: options.environment ?? {},
    });
    try {
      await extractZip(zip, layerDir);
      return self;
    } catch (error) {
      await self.close();
      throw error;
    }
  }

  private runner: FunctionRunner | undefined;

  private constructor(
    readonly layer: LayerManifest,
    private readonly tools: EmulatorTools,
    private readonly layerDir: string,
    readonly spec: FunctionSpec,
  ) {
    // Also when the process is ended before there is a function to close.
    process.once('exit', this.removeLayer);
  }

  /**
   * Runs the function once; its failures are results.
   *
   * @throws LayersError `InvalidCode` where its folder is gone
   */
  async invoke(event: string): Promise<InvokeResult> {
    assertFolder(this.spec.codeDir);
    this.runner = await FunctionRunner.create({ tools: this.tools });
    try {
      return await this.runner.invoke(this.spec, event);
    } finally {
      await this.runner.close();
    }
  }

  /** Ends an invocation that is under way, and removes the unpacked layer. */
  async close(): Promise<void> {
    await this.runner?.close();
    process.off('exit', this.removeLayer);
    this.removeLayer();
  }

  private readonly removeLayer = () => {
    rmSync(this.layerDir, { recursive: true, force: true });
  };
}

function assertFolder(codeDir: string): void {
  const stat = statSync(codeDir, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  throw new LayersError(
    'InvalidCode',
    stat
      ? `code "${codeDir}" is a file; name its folder, and the file in --handler, such as mod.handler`
      : `code "${codeDir}" does not exist; name the folder with the handler's file`,
  );
}
