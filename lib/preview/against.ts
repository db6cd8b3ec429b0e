import pMap from 'p-map';
import type { Place } from '../config';
import { LayersError } from '../errors';
import { ParameterStore } from '../lookup';
import { type DeliveryPlan, locate, lookupRoleArn, planParameters, roleArn } from '../plan';

/** How one target differs from the plan, by its SSM parameters. */
export interface TargetChanges {
  readonly account: string;
  readonly region: string;
  readonly wave: string;
  /** True for a target that a run leaves as it is. */
  readonly paused: boolean;
  /** Names of parameters that a run would create. */
  readonly added: readonly string[];
  /** Names of parameters with another value: it would move them, but not those changed by hand. */
  readonly moved: readonly string[];
  /** Names of parameters below the namespace that the configuration no longer has. */
  readonly dropped: readonly string[];
  /** How many it would leave as they are. */
  readonly unchanged: number;
  /** Why the target could not be read, with the cure; absent where it was. */
  readonly problem?: string;
}

export interface AgainstOptions {
  readonly plan: DeliveryPlan;
  /**
   * Name of the role to read through, the same in every target.
   * @default CDK's lookup role of each target, which `cdk bootstrap --trust` lets the home account use
   */
  readonly roleName?: string;
  /** Targets read at the same time. @default 16 */
  readonly concurrency?: number;
}

/**
 * Compares a plan with what SSM records in every target, paused ones too. A target that cannot be
 * read comes back with its problem; the others are read all the same.
 */
export async function compareWithAws(options: AgainstOptions): Promise<TargetChanges[]> {
  const { plan, concurrency = 16 } = options;
  const targets = plan.waves.flatMap(({ name: wave, targets, paused }) => [
    ...targets.map(({ account, region }) => ({ account, region, wave, paused: false })),
    ...paused.map(({ account, region }) => ({ account, region, wave, paused: true })),
  ]);
  return pMap(
    targets,
    async (target) => {
      try {
        return { ...target, ...(await compareTarget(options, target)) };
      } catch (error) {
        if (!(error instanceof LayersError)) throw error;
        const nothing = { added: [], moved: [], dropped: [], unchanged: 0 };
        return { ...target, ...nothing, problem: error.message };
      }
    },
    { concurrency },
  );
}

async function compareTarget(
  { plan, roleName }: AgainstOptions,
  place: Place,
): Promise<Pick<TargetChanges, 'added' | 'moved' | 'dropped' | 'unchanged'>> {
  const location = locate(place);
  const store = await ParameterStore.open({
    region: place.region,
    roleArn: roleName ? roleArn(location, roleName) : lookupRoleArn(plan, location),
    signInRegion: plan.home.region,
  });
  try {
    const recorded = new Map(
      (await store.list(plan.namespace, { recursive: true })).map(({ name, value }) => [
        name,
        value,
      ]),
    );
    const planned = planParameters(plan.namespace, location, plan.layers);
    const names = new Set(planned.map(({ name }) => name));
    const moved = planned.filter(({ name, value }) => (recorded.get(name) ?? value) !== value);
    const added = planned.filter(({ name }) => !recorded.has(name));
    return {
      added: added.map(({ name }) => name),
      moved: moved.map(({ name }) => name),
      dropped: [...recorded.keys()].filter((name) => !names.has(name)).sort(),
      unchanged: planned.length - moved.length - added.length,
    };
  } finally {
    store.close();
  }
}
