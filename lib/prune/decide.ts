import type { RuntimeConfig } from '../config';
import { parseLayerName } from '../release';

/** A layer version of a target whose name is one of ours. */
export interface LayerVersion {
  readonly arn: string;
  /** Layer name, `deno-2_9_5-arm64-8433a93b7daa`. */
  readonly layer: string;
  readonly version: number;
  /** When it was published, ISO 8601; empty where Lambda does not say. */
  readonly createdDate: string;
}

/** What holds on to layer versions, each by ARN with the names of those that do. */
export interface Holders {
  /** SSM parameters that record it. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  /** Functions, in any of their versions, that attach it. */
  readonly functions: ReadonlyMap<string, readonly string[]>;
}

export interface PruneRules {
  /** How many of the newest versions 1 of each runtime and architecture stay, whatever holds them. */
  readonly keep: number;
  /** Runtimes of the configuration: version 1 of what it names stays. */
  readonly runtimes: readonly RuntimeConfig[];
}

/** What is to become of a layer version, and why. */
export interface PruneDecision extends LayerVersion {
  readonly action: 'keep' | 'delete';
  readonly reason: string;
}

/**
 * Decides over every layer version of a target. What is recorded, used, configured or among the
 * newest stays; a copy above version 1 is a stray, since only version 1 is ever recorded. Where it
 * is not, a standalone stack may have published the latest copy. Pure.
 */
export function decide(
  versions: readonly LayerVersion[],
  holders: Holders,
  rules: PruneRules,
): PruneDecision[] {
  const newest = newestOf(versions, rules.keep);
  const latest = latestUnrecorded(versions, holders);
  return [...versions]
    .sort((a, b) => compare(a.layer, b.layer) || a.version - b.version)
    .map((version) => {
      const reason = reasonToKeep(version, holders, rules, newest, latest);
      if (reason) return { ...version, action: 'keep', reason };
      return {
        ...version,
        action: 'delete',
        reason:
          version.version > 1 ? 'a stray copy of version 1' : 'neither recorded nor used here',
      };
    });
}

function reasonToKeep(
  version: LayerVersion,
  { parameters, functions }: Holders,
  { runtimes, keep }: PruneRules,
  newest: ReadonlySet<string>,
  latest: ReadonlySet<string>,
): string | undefined {
  const { arn } = version;
  const recording = parameters.get(arn);
  if (recording) return `recorded by ${named(recording)}`;
  const using = functions.get(arn);
  if (using) return `used by function ${named(using)}`;
  if (version.version !== 1 && !latest.has(arn)) return undefined;
  const own = parseLayerName(version.layer);
  const configured = runtimes.some(
    ({ name, versions, architectures }) =>
      name === own?.runtime &&
      versions.includes(own.version) &&
      architectures.includes(own.architecture),
  );
  if (configured) return 'its runtime and version are configured';
  return newest.has(arn) ? `one of the newest ${keep} of ${groupOf(version)}` : undefined;
}

/** ARNs of each layer's latest version, of layers of which no version is recorded. */
function latestUnrecorded(
  versions: readonly LayerVersion[],
  { parameters }: Holders,
): ReadonlySet<string> {
  const latest = new Map<string, LayerVersion>();
  for (const version of versions) {
    if (version.version > (latest.get(version.layer)?.version ?? 0)) {
      latest.set(version.layer, version);
    }
  }
  for (const { arn, layer } of versions) if (parameters.has(arn)) latest.delete(layer);
  return new Set([...latest.values()].map(({ arn }) => arn));
}

/** ARNs of the newest versions 1 of each runtime and architecture. */
function newestOf(versions: readonly LayerVersion[], keep: number): ReadonlySet<string> {
  const groups = new Map<string, LayerVersion[]>();
  for (const version of versions) {
    if (version.version !== 1) continue;
    const group = groupOf(version);
    groups.set(group, [...(groups.get(group) ?? []), version]);
  }
  return new Set(
    [...groups.values()].flatMap((group) =>
      group
        .sort((a, b) => compare(b.createdDate, a.createdDate))
        .slice(0, keep)
        .map(({ arn }) => arn),
    ),
  );
}

function named([first, ...others]: readonly string[]): string {
  return others.length > 0 ? `${first} and ${others.length} more` : first;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** `deno/arm64` */
function groupOf({ layer }: LayerVersion): string {
  const own = parseLayerName(layer);
  return `${own?.runtime}/${own?.architecture}`;
}
