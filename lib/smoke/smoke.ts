import pMap from 'p-map';
import { stsClient } from '../aws';
import { LayersError } from '../errors';
import type { ReleaseLayer, ReleasePlan, ReleaseTarget, SmokeCheck } from '../release';
import { checkLayer, type LayerFindings } from './check-layer';
import { type RetryTimes, TargetLambda } from './target-lambda';

export interface SmokeOptions {
  readonly plan: ReleasePlan;
  /** Name of the wave to check. */
  readonly wave: string;
  /** The one target of it to check, `<account>/<region>`. @default all */
  readonly only?: string;
  /**
   * Targets checked at the same time; the layers of one target are checked one after the other.
   * @default 8
   */
  readonly concurrency?: number;
  /**
   * Let a function report `Rehearsal.NotRun` where this machine cannot run its architecture.
   * @default false
   */
  readonly rehearsal?: boolean;
  readonly retryTimes?: RetryTimes;
  /** Called once for each check, as soon as it is done. */
  readonly onCheck?: (check: SmokeCheck, failed: boolean) => void;
}

export interface SmokeResult {
  /** One for each layer in each target, in the plan's order. */
  readonly checks: readonly SmokeCheck[];
  /** The checks that fail the wave. Not among them: what the rehearsal merely could not run. */
  readonly failed: readonly SmokeCheck[];
}

/**
 * Checks every layer in every target of a wave, and goes on after a problem.
 *
 * @throws LayersError `NoSuchWave`, `NoSuchTarget`
 */
export async function smoke(options: SmokeOptions): Promise<SmokeResult> {
  const { plan, concurrency = 8, onCheck } = options;
  const targets = targetsToCheck(options);
  const sts = stsClient(plan.homeRegion);
  try {
    const outcomes = await pMap(
      targets,
      async (target) => {
        const lambda = new TargetLambda(target, sts, options.retryTimes);
        try {
          return await checkTarget(
            lambda,
            target,
            plan.layers,
            options.rehearsal ?? false,
            onCheck,
          );
        } finally {
          lambda.close();
        }
      },
      { concurrency },
    );
    const all = outcomes.flat();
    return {
      checks: all.map(({ check }) => check),
      failed: all.filter(({ failed }) => failed).map(({ check }) => check),
    };
  } finally {
    sts.destroy();
  }
}

function targetsToCheck({ plan, wave, only }: SmokeOptions): readonly ReleaseTarget[] {
  const targets = plan.targets.filter((target) => target.wave === wave);
  if (targets.length === 0) {
    const waves = [...new Set(plan.targets.map((target) => target.wave))];
    throw new LayersError(
      'NoSuchWave',
      `wave "${wave}" has no target in the plan; its waves are: ${waves.join(', ') || 'none'}`,
    );
  }
  if (only === undefined) return targets;
  const place = ({ account, region }: ReleaseTarget) => `${account}/${region}`;
  const found = targets.filter((target) => place(target) === only);
  if (found.length > 0) return found;
  throw new LayersError(
    'NoSuchTarget',
    `target "${only}" is not in wave "${wave}"; its targets are: ${targets.map(place).join(', ')}`,
  );
}

async function checkTarget(
  lambda: TargetLambda,
  { account, region, layers }: ReleaseTarget,
  releaseLayers: readonly ReleaseLayer[],
  allowNotRun: boolean,
  onCheck?: SmokeOptions['onCheck'],
): Promise<{ check: SmokeCheck; failed: boolean }[]> {
  const refusal = await refusalToOpen(lambda);
  const outcomes: { check: SmokeCheck; failed: boolean }[] = [];
  for (const names of layers) {
    const layer = releaseLayers.find(({ name }) => name === names.name) as ReleaseLayer;
    const startedAt = Date.now();
    const { problems, notRun }: LayerFindings = refusal
      ? { problems: [refusal] }
      : await checkLayer(lambda, layer, names, allowNotRun);
    const reasons = notRun === undefined ? problems : [...problems, notRun];
    const failed = problems.length > 0;
    const check: SmokeCheck = {
      account,
      region,
      layer: names.name,
      functionName: names.functionName,
      ok: reasons.length === 0,
      ran: notRun === undefined,
      milliseconds: Date.now() - startedAt,
      message: reasons.join('; '),
    };
    outcomes.push({ check, failed });
    onCheck?.(check, failed);
  }
  return outcomes;
}

async function refusalToOpen(lambda: TargetLambda): Promise<string | undefined> {
  try {
    await lambda.open();
    return undefined;
  } catch (error) {
    if (error instanceof LayersError) return error.message;
    throw error;
  }
}
