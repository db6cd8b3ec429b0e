import pMap from 'p-map';
import { callerAccount, stsClient } from '../aws';
import { LayersError } from '../errors';
import type { ReleasePlan } from '../release';
import { TargetChecks } from './target-checks';

/** Whether one target can take the release. */
export interface TargetReadiness {
  readonly account: string;
  readonly region: string;
  /** What is wrong, each with its cure; empty when the target is ready. */
  readonly problems: readonly string[];
}

export interface PreflightOptions {
  readonly plan: ReleasePlan;
  /** Targets asked at the same time. @default 32 */
  readonly concurrency?: number;
  /** Called once for each target, as soon as it has been asked. */
  readonly onTarget?: (target: TargetReadiness) => void;
}

/**
 * Asks every target of a release whether it can take it, and changes nothing: trust of the home
 * account, region, bootstrap version, Lambda's code storage, parameters, release stack.
 *
 * @throws LayersError `NoCredentials`, `ExpiredCredentials` and the like, of the home account
 */
export async function preflight(options: PreflightOptions): Promise<TargetReadiness[]> {
  const { plan, concurrency = 32, onTarget } = options;
  const sts = stsClient(plan.homeRegion);
  try {
    const homeAccount = await callerAccount(sts);
    return await pMap(
      plan.targets,
      async (target) => {
        const checks = new TargetChecks(plan, target, sts, homeAccount);
        try {
          const { account, region } = target;
          const readiness = { account, region, problems: await checks.problems() };
          onTarget?.(readiness);
          return readiness;
        } finally {
          checks.close();
        }
      },
      { concurrency },
    );
  } finally {
    sts.destroy();
  }
}

/** The one error of a release that some target cannot take; undefined where all are ready. */
export function preflightError(targets: readonly TargetReadiness[]): LayersError | undefined {
  const notReady = targets.filter(({ problems }) => problems.length > 0);
  if (notReady.length === 0) return undefined;
  const lines = notReady.flatMap(({ account, region, problems }) =>
    problems.map((problem) => `\n  ${account}/${region}: ${problem}`),
  );
  return new LayersError(
    'PreflightFailed',
    `${notReady.length} of ${targets.length} targets are not ready, nothing was sent to any; put them right, or pause them in cdk.json:${lines.join('')}`,
  );
}
