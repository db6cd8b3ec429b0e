import { partitionOf } from '../config';
import type { ReleaseTarget } from '../release';

/** CDK's own default; every other qualifier has a toolkit stack of its own name. */
const DEFAULT_QUALIFIER = 'hnb659fds';

/** Bootstrap qualifier of a target, out of the name of its bucket. */
export function qualifierOf({ bucket }: Pick<ReleaseTarget, 'bucket'>): string {
  return /^cdk-([a-z0-9]+)-assets-/.exec(bucket)?.[1] ?? DEFAULT_QUALIFIER;
}

/**
 * The CDK CLI's command that makes a target's bucket and roles, trusted by the home account. It is
 * to be run with credentials of the target's account.
 */
export function bootstrapCommand(
  target: Pick<ReleaseTarget, 'account' | 'region' | 'bucket'>,
  homeAccount: string,
): string {
  const { account, region } = target;
  const qualifier = qualifierOf(target);
  return [
    `npx cdk bootstrap aws://${account}/${region}`,
    ...(account === homeAccount ? [] : [`--trust ${homeAccount}`]),
    ...(qualifier === DEFAULT_QUALIFIER
      ? []
      : [`--qualifier ${qualifier} --toolkit-stack-name CDKToolkit-${qualifier}`]),
    `--cloudformation-execution-policies arn:${partitionOf(region)}:iam::aws:policy/AdministratorAccess`,
  ].join(' ');
}
