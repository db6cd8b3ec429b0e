import pMap from 'p-map';
import type { RuntimeConfig } from '../config';
import { LayersError } from '../errors';
import { type Parameter, ParameterStore } from '../lookup';
import { decide, type LayerVersion, type PruneDecision } from './decide';
import { TargetLayers } from './target-layers';

export interface PruneOptions {
  /** @default AWS_REGION, AWS_DEFAULT_REGION or the profile's region */
  readonly region?: string;
  /** Role to act through, in another account. @default the credentials of the environment */
  readonly roleArn?: string;
  /** Prefix of the SSM parameters. */
  readonly namespace: string;
  /** Runtimes of the configuration. */
  readonly runtimes: readonly RuntimeConfig[];
  /** How many of the newest layers of each runtime and architecture stay. */
  readonly keep: number;
  /** Also what others were granted. @default false */
  readonly includeShared?: boolean;
  /** Deletes; otherwise it is only said what would be. @default false */
  readonly execute?: boolean;
}

/** What became of a layer version. */
export interface PrunedVersion extends LayerVersion {
  /** `would-delete` where nothing was to be deleted. */
  readonly result: 'kept' | 'would-delete' | 'deleted' | 'failed';
  /** Why, or what went wrong. */
  readonly reason: string;
}

/** Deletions at the same time. */
const CONCURRENCY = 4;

/**
 * Deletes layer versions of one account and region that nothing there holds on to. Everything is
 * read before anything is deleted: where a part cannot be read, nothing is.
 *
 * @throws LayersError `NoRegion`, `InvalidRegion`, `InvalidRoleArn`, `RoleNotAssumable`, or as `explain` says
 */
export async function prune(options: PruneOptions): Promise<PrunedVersion[]> {
  const store = await ParameterStore.open(options);
  const target = new TargetLayers(store.region, options.roleArn);
  try {
    const parameters = recordedBy(await store.list(options.namespace, { recursive: true }));
    const functions = await target.users();
    const versions = await target.versions();
    const decisions = await keepShared(
      target,
      decide(versions, { parameters, functions }, options),
      options.includeShared ?? false,
    );
    return await pMap(decisions, (decision) => carryOut(target, decision, options.execute), {
      concurrency: CONCURRENCY,
    });
  } finally {
    store.close();
    target.close();
  }
}

/** Every ARN of a layer version in every value, records included, with the parameters' names. */
function recordedBy(parameters: readonly Parameter[]): Map<string, string[]> {
  const recorded = new Map<string, string[]>();
  for (const { name, value } of parameters) {
    for (const [arn] of value.matchAll(/arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]+:\d+/g)) {
      recorded.set(arn, [...(recorded.get(arn) ?? []), name]);
    }
  }
  return recorded;
}

/** Only what would be deleted is asked about. */
function keepShared(
  target: TargetLayers,
  decisions: readonly PruneDecision[],
  includeShared: boolean,
): Promise<PruneDecision[]> {
  return pMap(
    decisions,
    async (decision) => {
      if (includeShared || decision.action === 'keep' || !(await target.isShared(decision))) {
        return decision;
      }
      return {
        ...decision,
        action: 'keep',
        reason: 'shared with others, whose functions cannot be seen',
      };
    },
    { concurrency: CONCURRENCY },
  );
}

async function carryOut(
  target: TargetLayers,
  { action, reason, ...version }: PruneDecision,
  execute = false,
): Promise<PrunedVersion> {
  if (action === 'keep') return { ...version, result: 'kept', reason };
  if (!execute) return { ...version, result: 'would-delete', reason };
  try {
    await target.delete(version);
    return { ...version, result: 'deleted', reason };
  } catch (error) {
    if (!(error instanceof LayersError)) throw error;
    return { ...version, result: 'failed', reason: error.message };
  }
}
