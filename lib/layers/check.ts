import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { extractZip } from '../archive';
import { onInterrupt } from '../interrupt';
import { FunctionRunner } from '../rehearsal/functions';
import type { LayerManifest } from '../release';
import { makeTemporary } from '../temporary';
import { EXAMPLES_ROOT, exampleFolder } from './examples';
import { findRuntime, loadRuntimes } from './runtimes';

const TIMEOUT_SECONDS = 30;

/** What came of running a layer's example function. */
export interface LayerCheck {
  readonly manifest: LayerManifest;
  /** The example answered, and all of its answer was right. */
  readonly ok: boolean;
  readonly how: 'native' | 'emulated' | 'not-run';
  /** What was wrong, or why it did not run and what would change that; empty when ok. */
  readonly message: string;
  /** The whole invocation, the cold start included. */
  readonly milliseconds: number;
}

/**
 * Runs a layer's example function on the layer as zipped, under AWS's Runtime Interface Emulator,
 * and compares interpreter, version, architecture and echoed event with the manifest.
 *
 * @param examplesRoot folder with one folder of example code a runtime
 * @param runner used and left open; without one, a runner for this check alone
 */
export async function checkLayer(
  manifest: LayerManifest,
  zipPath: string,
  examplesRoot = EXAMPLES_ROOT,
  runner?: Pick<FunctionRunner, 'invoke'>,
): Promise<LayerCheck> {
  if (!runner) {
    const own = await FunctionRunner.create();
    try {
      return await checkLayer(manifest, zipPath, examplesRoot, own);
    } finally {
      await own.close();
    }
  }
  const runtime = findRuntime(manifest.runtime, loadRuntimes());
  const layerDir = makeTemporary('layer-check-');
  // Retried, because threads may be unpacking files into it.
  const remove = () => rmSync(layerDir, { recursive: true, force: true, maxRetries: 5 });
  const settled = onInterrupt(remove);
  try {
    await extractZip(zipPath, layerDir);
    const event = { smoke: randomUUID() };
    const result = await runner.invoke(
      {
        functionArn: `arn:aws:lambda:us-east-1:000000000000:function:check-${manifest.name}`,
        handler: runtime.example.handler,
        architecture: manifest.architecture,
        codeDir: exampleFolder(runtime, examplesRoot),
        layerDirs: [layerDir],
        memoryMb: runtime.example.memoryMb,
        timeoutSeconds: TIMEOUT_SECONDS,
        environment: {},
      },
      JSON.stringify(event),
    );
    const { how, milliseconds } = result;
    const common = { manifest, how, milliseconds };
    if (how === 'not-run') {
      const { why, cure } = result.notRun ?? { why: 'no reason given', cure: '' };
      return { ...common, ok: false, message: [why, cure].filter(Boolean).join('; ') };
    }
    const faults = result.functionError
      ? [`the function failed: ${result.payload}`]
      : answerFaults(result.payload, manifest, event);
    const log = faults.length > 0 && result.log ? `; its log: ${result.log.trim()}` : '';
    return { ...common, ok: faults.length === 0, message: `${faults.join('; ')}${log}` };
  } finally {
    settled();
    remove();
  }
}

/** Everything in an example's answer that is not as the manifest says. */
export function answerFaults(
  payload: string,
  manifest: Pick<LayerManifest, 'runtime' | 'version' | 'architecture'>,
  event: unknown,
): string[] {
  let answer: Record<string, unknown> | null;
  try {
    answer = JSON.parse(payload);
  } catch {
    return [`the answer is not JSON: ${payload.slice(0, 200)}`];
  }
  const { runtime, version, architecture } = manifest;
  return Object.entries({ runtime, version, architecture, event })
    .filter(([field, expected]) => !isDeepStrictEqual(answer?.[field], expected))
    .map(
      ([field, expected]) =>
        `"${field}" is ${JSON.stringify(answer?.[field])} instead of ${JSON.stringify(expected)}`,
    );
}
