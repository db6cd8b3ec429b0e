import { createHash } from 'node:crypto';
import type { DeliveryConfig } from '../config';
import { describeExample, findManifest, findRuntime, loadRuntimes, resolveLayers } from '../layers';
import { layerName, releaseLayer } from '../release';
import type { Release, ReleaseFolders } from '../release/prepare';

/** A release of which some layers are stand-ins. */
export interface PlaceholderRelease extends Release {
  /** Names of the layers that are not built, and so have no digest yet. */
  readonly unbuilt: readonly string[];
}

/**
 * A release by which the delivery pipeline's stacks have their names, with nothing built: layers
 * that are not there have a digest of nothing. Only for commands that deploy nothing.
 */
export function placeholderRelease(
  config: DeliveryConfig,
  folders: ReleaseFolders,
): PlaceholderRelease {
  const unbuilt: string[] = [];
  const available = loadRuntimes();
  const layers = resolveLayers({ runtimes: config.runtimes }, available).map((spec) => {
    const manifest = findManifest(spec, [folders.layers]);
    if (manifest) return releaseLayer(manifest);
    const { version, architecture, description, source } = spec;
    const { name: runtime, license, compatibleRuntimes } = spec.runtime;
    const digest = createHash('sha256').update(spec.inputs).digest('hex');
    const identity = { runtime, version, architecture, digest };
    const name = layerName(identity);
    unbuilt.push(name);
    return {
      schemaVersion: 1 as const,
      ...identity,
      name,
      codeSha256: Buffer.from(digest, 'hex').toString('base64'),
      zipBytes: 1,
      unzippedBytes: 1,
      license,
      description,
      compatibleRuntimes,
      source,
    };
  });
  const examples = config.runtimes.map(({ name }) => {
    const { memoryMb, ...example } = describeExample(findRuntime(name, available));
    return { ...example, codeSha256: '', zipBytes: 1, memory: memoryMb };
  });
  return { layers, examples, unbuilt };
}
