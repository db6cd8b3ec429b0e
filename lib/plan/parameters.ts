import semver from 'semver';
import type { ReleaseLayer } from '../release';
import { type Location, layerVersionArn } from './names';

/**
 * How many parameters are written at a time. Systems Manager takes three writes a second
 * (https://docs.aws.amazon.com/general/latest/gr/ssm.html), and CloudFormation, which takes seconds for
 * each and would begin all at once, fails a stack when one has been throttled too often.
 */
export const PARAMETERS_AT_A_TIME = 5;

/** An SSM parameter of a target. */
export interface ParameterPlan {
  /** Full name, `/layers/deno/arm64/latest`. */
  readonly name: string;
  readonly value: string;
  readonly description: string;
  /** Layer that the parameter stands for: its tags. */
  readonly layer: ReleaseLayer;
}

/**
 * The parameters of one target: `latest` and one a major version, each pointing at the newest
 * release of its kind, one a version, and an immutable record a digest.
 *
 * Nothing in them depends on the commit or the time, so an unchanged layer changes no parameter.
 */
export function planParameters(
  namespace: string,
  location: Location,
  layers: readonly ReleaseLayer[],
): ParameterPlan[] {
  const arn = (layer: ReleaseLayer) => layerVersionArn(location, layer.name);
  const pointers = new Map<string, ReleaseLayer>();
  const oldestFirst = [...layers].sort((a, b) => semver.compare(a.version, b.version));
  for (const layer of oldestFirst) {
    const prefix = `${namespace}/${layer.runtime}/${layer.architecture}`;
    pointers.set(`${prefix}/${layer.version}`, layer);
    pointers.set(`${prefix}/${semver.major(layer.version)}`, layer);
    pointers.set(`${prefix}/latest`, layer);
  }
  const records = oldestFirst.map((layer) => ({
    name: recordName(namespace, layer),
    value: JSON.stringify(releaseRecord(layer, arn(layer))),
    description: `Record of ${layer.name}`,
    layer,
  }));
  const named = [...pointers].map(([name, layer]) => ({
    name,
    value: arn(layer),
    description: `ARN of ${layer.runtime} ${layer.version} for ${layer.architecture}`,
    layer,
  }));
  return [...named, ...records].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Name of the record of a layer, which is there as long as it is released. */
export function recordName(
  namespace: string,
  { runtime, architecture, digest }: Pick<ReleaseLayer, 'runtime' | 'architecture' | 'digest'>,
): string {
  return `${namespace}/${runtime}/${architecture}/releases/${digest}`;
}

/** Value of `releases/<digest>`. */
function releaseRecord(layer: ReleaseLayer, arn: string) {
  return {
    arn,
    runtime: layer.runtime,
    version: layer.version,
    architecture: layer.architecture,
    digest: layer.digest,
    codeSha256: layer.codeSha256,
    zipBytes: layer.zipBytes,
    unzippedBytes: layer.unzippedBytes,
    compatibleRuntimes: layer.compatibleRuntimes,
    license: layer.license,
    source: layer.source,
  };
}
