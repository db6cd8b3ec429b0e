import { partitionOf } from '../config';
import type { ReleaseTarget } from '../release';

/** CDK's own default; every other qualifier has a toolkit stack of its own name. */
const DEFAULT_QUALIFIER = 'hnb659fds';

type BootstrappedPlace = Pick<ReleaseTarget, 'account' | 'region' | 'bucket'>;

/** Bootstrap qualifier of a target, out of the name of its bucket. */
export function qualifierOf({ bucket }: Pick<ReleaseTarget, 'bucket'>): string {
  return /^cdk-([a-z0-9]+)-assets-/.exec(bucket)?.[1] ?? DEFAULT_QUALIFIER;
}

/**
 * What to do where the bootstrap is missing or does not let the home account in: the CDK CLI's
 * command that makes a target's bucket and roles, with credentials of the target's account.
 *
 * On a bootstrap stack that exists, the CLI replaces trusted accounts and policies by those that it
 * is given, and keeps what it is not given.
 */
export function bootstrapCure(target: BootstrappedPlace, homeAccount: string): string {
  const policies = '--cloudformation-execution-policies';
  const abroad = target.account !== homeAccount;
  const command = [
    bootstrapUpdate(target),
    ...(abroad ? [`--trust ${homeAccount}`] : []),
    `${policies} arn:${partitionOf(target.region)}:iam::aws:policy/AdministratorAccess`,
  ].join(' ');
  const already = [
    ...(abroad ? ['repeat --trust for each account that it trusts'] : []),
    `leave ${policies} out to keep its own`,
  ].join(', and ');
  return `bootstrap the target: ${command} (where it is bootstrapped already, ${already})`;
}

/** The command that brings a bootstrap stack up to date, and changes nothing that it was made with. */
export function bootstrapUpdate(target: BootstrappedPlace): string {
  const qualifier = qualifierOf(target);
  return [
    `npx cdk bootstrap aws://${target.account}/${target.region}`,
    ...(qualifier === DEFAULT_QUALIFIER
      ? []
      : [`--qualifier ${qualifier} --toolkit-stack-name CDKToolkit-${qualifier}`]),
  ].join(' ');
}
