import type { SharingConfig } from '../config';
import { LayersError } from '../errors';
import type { ReleaseTarget } from '../release';
import { planParameters } from './parameters';
import type { DeliveryPlan } from './plan';
import { planStages } from './stages';
import { remoteDeployments, remoteRoleArns } from './steps';

/**
 * Most actions that the plan puts into one stage. CodePipeline takes 50: the rest is for a person
 * who adds some by hand
 * (https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html).
 */
export const MAX_ACTIONS_PER_STAGE = 45;

/** Most stages of a pipeline (same page). */
const MAX_STAGES = 50;

/**
 * Most resources of a stack, and bytes of its template
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
 */
const MAX_RESOURCES_PER_STACK = 500;
const MAX_TEMPLATE_BYTES = 1_000_000;

/**
 * Most characters of all inline policies of a role
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
 */
const MAX_INLINE_POLICY_CHARACTERS = 10_240;

/**
 * Most bytes of a standard parameter's value, and parameters of an account and region
 * (https://docs.aws.amazon.com/general/latest/gr/ssm.html).
 */
const MAX_PARAMETER_BYTES = 4096;
export const MAX_PARAMETERS = 10_000;

/**
 * Most bytes of a layer version's resource policy
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
const MAX_LAYER_POLICY_BYTES = 20_480;

/**
 * Most bytes of a template that is handed over in the request itself, as that of an artifact
 * replica is: no bootstrap bucket can be counted upon there (https://github.com/aws/aws-cdk/issues/27196).
 */
const MAX_INLINE_TEMPLATE_BYTES = 51_200;

/** Most bytes of a bucket policy (https://docs.aws.amazon.com/general/latest/gr/s3.html). */
const MAX_BUCKET_POLICY_BYTES = 20_480;

/** Most managed policies of a role, without a raise (the page on IAM above). */
const MAX_MANAGED_POLICIES = 10;

/** One quota, and how much of it a plan uses. */
export interface QuotaUse {
  /** What is counted, with where: `stages of the pipeline`. */
  readonly quota: string;
  readonly used: number;
  readonly limit: number;
  /** Configuration field that decides it. */
  readonly field: string;
  readonly cure: string;
}

/**
 * Refuses a plan that some quota of AWS does not hold.
 *
 * @throws LayersError `QuotaExceeded`, with every quota in one message: field, value and cure
 */
export function checkQuotas(plan: DeliveryPlan): void {
  const broken = quotaUse(plan).filter(({ used, limit }) => used > limit);
  if (broken.length === 0) return;
  const lines = broken.map(
    ({ field, quota, used, limit, cure }) =>
      `\n  - ${field}: ${used} ${quota}, AWS takes ${limit}; ${cure}`,
  );
  throw new LayersError(
    'QuotaExceeded',
    `this configuration does not fit into AWS:${lines.join('')}`,
  );
}

/** How far a plan fills the quotas that depend on its configuration. Pure. */
export function quotaUse(plan: DeliveryPlan): QuotaUse[] {
  const stages = planStages(plan);
  const targets = plan.waves.flatMap((wave) => wave.targets);
  // Names of accounts and partitions are of one length, so the longest region's target is the worst.
  const worst = targets.reduce((a, b) => (b.region.length > a.region.length ? b : a));
  const splitWaves = 'give some of the accounts and regions to a second pipeline (another name)';
  return [
    {
      quota: 'stages of the pipeline',
      used: stages.length,
      limit: MAX_STAGES,
      field: 'delivery.waves',
      cure: `put targets into fewer waves, or ${splitWaves}`,
    },
    {
      quota: 'actions in the fullest stage',
      used: Math.max(...stages.map(({ actions }) => actions.length)),
      limit: MAX_ACTIONS_PER_STAGE,
      field: 'delivery.waves',
      cure: splitWaves,
    },
    ...[...pipelineQuotas(plan, targets), ...remoteQuotas(plan)].map((use) => ({
      ...use,
      field: 'delivery.waves',
      cure: splitWaves,
    })),
    ...targetQuotas(plan, worst),
  ];
}

/**
 * What CDK makes of a plan, estimated: the numbers were read off synthesized templates of 1 to 300
 * targets, with room for longer partitions and qualifiers. A test compares them with synthesized ones.
 */
function pipelineQuotas(
  { home, waves }: DeliveryPlan,
  targets: readonly ReleaseTarget[],
): Omit<QuotaUse, 'field' | 'cure'>[] {
  const regions = new Set(targets.map(({ region }) => region));
  const accountsIn = (region: string) =>
    targets.filter((target) => target.region === region).length;
  const steps = waves.flatMap((wave) => wave.steps ?? []);
  const releasing = remoteDeployments(steps.flatMap(({ release }) => release));
  const publishing = remoteDeployments(steps.flatMap(({ publish }) => publish));
  const remoteTargets = releasing.flatMap((deployment) => deployment.targets).length;
  const elsewhere = [...regions].filter((region) => region !== home.region).map(accountsIn);
  return [
    {
      quota: `bytes of the pipeline's template (estimated, ${targets.length} targets)`,
      used:
        36_000 +
        1950 * (targets.length - remoteTargets) +
        800 * remoteTargets +
        5000 * (publishing.length + releasing.length) +
        4000 * waves.length +
        800 * regions.size,
      limit: MAX_TEMPLATE_BYTES,
    },
    {
      // The preflight role enters each target through two roles, 50 of which fill a policy; the
      // pipeline's own role has one policy for about 40 targets and artifact replicas.
      quota: `managed policies of a role (estimated, ${targets.length} targets)`,
      used: Math.max(
        Math.ceil((targets.length + regions.size) / 40),
        Math.ceil((2 * targets.length) / 50) - 1,
      ),
      limit: MAX_MANAGED_POLICIES,
    },
    {
      quota: "bytes of the artifact bucket's policy (estimated from the accounts in its region)",
      used: 700 + 140 * Math.max(accountsIn(home.region), ...elsewhere),
      limit: MAX_BUCKET_POLICY_BYTES,
    },
    {
      quota: "bytes of an artifact replica's template (estimated from the accounts in its region)",
      used: 4900 + 600 * Math.max(0, ...elsewhere),
      limit: MAX_INLINE_TEMPLATE_BYTES,
    },
  ];
}

/** A remote deployment may assume two bootstrap roles of each target, and names them all. */
function remoteQuotas(plan: DeliveryPlan): Omit<QuotaUse, 'field' | 'cure'>[] {
  const around = 3000;
  const comma = 3;
  return plan.waves.flatMap(({ name, steps }) =>
    remoteDeployments(steps?.publish ?? []).map((deployment) => ({
      quota: `characters in the policy of ${deployment.action} (wave "${name}", ${deployment.targets.length} targets without CodePipeline)`,
      used: remoteRoleArns(plan, deployment).reduce((sum, arn) => sum + arn.length + comma, around),
      limit: MAX_INLINE_POLICY_CHARACTERS,
    })),
  );
}

function targetQuotas(plan: DeliveryPlan, target: ReleaseTarget): QuotaUse[] {
  const parameters = planParameters(plan.namespace, target, plan.layers);
  const longest = Math.max(...parameters.map(({ value }) => Buffer.byteLength(value)));
  const grantees = granteeCount(plan.sharing);
  const fewerVersions = {
    field: 'delivery.runtimes',
    cure: 'configure fewer versions, or deliver some of the runtimes with a second pipeline (another name and namespace)',
  };
  const fewerGrantees = {
    field: 'delivery.sharing',
    cure: 'share with an organization in place of its accounts, or configure fewer versions',
  };
  return [
    {
      quota: 'resources in the publish stack of a target',
      // A version, a function and its log group for each layer; two roles and a policy.
      used: 3 * plan.layers.length + 3,
      limit: MAX_RESOURCES_PER_STACK,
      ...fewerVersions,
    },
    {
      quota: 'resources in the release stack of a target',
      used: parameters.length + grantees * plan.layers.length,
      limit: MAX_RESOURCES_PER_STACK,
      ...(grantees > 1 ? fewerGrantees : fewerVersions),
    },
    {
      quota: 'parameters in a target',
      used: parameters.length,
      limit: MAX_PARAMETERS,
      ...fewerVersions,
    },
    {
      quota: 'bytes in the longest parameter',
      used: longest,
      limit: MAX_PARAMETER_BYTES,
      field: 'license, description or source in a runtime.json',
      cure: 'shorten them',
    },
    {
      quota: "characters in the smoke role's policy in a target",
      used: smokePolicyCharacters(target),
      limit: MAX_INLINE_POLICY_CHARACTERS,
      ...fewerVersions,
    },
    {
      quota: "bytes in a layer version's policy",
      // A statement: account, action, ARN and an id, with room. Those of a release that was left
      // stay, and are added once more when somebody goes back to it.
      used: 2 * grantees * 340,
      limit: MAX_LAYER_POLICY_BYTES,
      ...fewerGrantees,
    },
  ];
}

function granteeCount(sharing: SharingConfig): number {
  if (sharing.with === 'private') return 0;
  return sharing.with === 'accounts' ? sharing.accounts.length : 1;
}

/** Both statements of the smoke role, as they are written, IAM not counting white space. */
function smokePolicyCharacters(target: ReleaseTarget): number {
  const functionArn = (name: string) =>
    `arn:${target.partition}:lambda:${target.region}:${target.account}:function:${name}`;
  const around = 300;
  return target.layers.reduce(
    (sum, { arn, functionName }) => sum + arn.length + functionArn(functionName).length + 6,
    around,
  );
}
