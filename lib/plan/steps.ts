import { REGIONS } from '../config';
import type { ReleaseTarget } from '../release';
import { deployRoleArn, type Naming } from './names';
import { MAX_ACTIONS_PER_STAGE } from './quotas';

/** Targets that are deployed to side by side: one CodePipeline stage, all deployments of one run order. */
export interface Step {
  /** Name of the stage. */
  readonly stage: string;
  /** Targets with a CloudFormation action each. */
  readonly targets: readonly ReleaseTarget[];
  /** Targets that no CloudFormation action reaches. @default none */
  readonly remote?: RemoteDeployment;
}

/** Layer versions and example functions are made. */
export interface PublishStep extends Step {
  /** The smoke test that follows the deployments; none before the last step of a wave. */
  readonly smoke?: SmokePlan;
}

/**
 * The one action that deploys, with the CDK CLI, to the targets of a step whose regions have no
 * CodePipeline and so no CloudFormation action (https://github.com/aws/aws-cdk/issues/15650).
 */
export interface RemoteDeployment {
  /** Name of the action. */
  readonly action: string;
  readonly targets: readonly ReleaseTarget[];
}

/** A smoke action. */
export interface SmokePlan {
  /** Name of the action. */
  readonly action: string;
  /** The one target to test. @default every target of the wave */
  readonly only?: ReleaseTarget;
}

/** The stages of one wave, in their order. */
export interface WaveSteps {
  /** Stage that waits for a person. @default nobody is asked */
  readonly approvalStage?: string;
  readonly publish: readonly PublishStep[];
  /** Permissions and parameters move. */
  readonly release: readonly Step[];
}

/** What is left of a publish stage once its smoke action has its place. */
const ROOM = MAX_ACTIONS_PER_STAGE - 1;

/**
 * Cuts a wave into stages that CodePipeline takes.
 *
 * All publish steps come before the first release step, and the last of them ends with the smoke
 * test of the whole wave: whatever fails before, nothing of the wave is released. A canary gets a
 * step and a smoke test of its own first.
 *
 * @param targets of the wave, without paused ones, at least one
 * @param canary one of `targets`
 */
export function cutWave(
  wave: { readonly name: string; readonly approval: boolean },
  targets: readonly ReleaseTarget[],
  canary?: ReleaseTarget,
): WaveSteps {
  const rest = targets.filter((target) => target !== canary);
  // A canary alone is the wave.
  const first = canary && rest.length > 0 ? [canaryStep(wave.name, canary)] : [];
  const publish = numbered(wave.name, 'publish', first.length > 0 ? rest : targets);
  return {
    approvalStage: wave.approval ? `${wave.name}-approval` : undefined,
    publish: [
      ...first,
      ...publish.map((step, index) =>
        index === publish.length - 1 ? { ...step, smoke: { action: `Smoke-${wave.name}` } } : step,
      ),
    ],
    release: numbered(wave.name, 'release', targets),
  };
}

function canaryStep(wave: string, canary: ReleaseTarget): PublishStep {
  return {
    stage: `${wave}-canary`,
    ...(hasCloudFormationAction(canary)
      ? { targets: [canary] }
      : { targets: [], remote: { action: `Publish-canary-remote-${wave}`, targets: [canary] } }),
    smoke: { action: `Smoke-${wave}-canary`, only: canary },
  };
}

/** Steps of about the same width; a single one has no number, the last one has the remote targets. */
function numbered(
  wave: string,
  kind: 'publish' | 'release',
  all: readonly ReleaseTarget[],
): Step[] {
  const stage = `${wave}-${kind}`;
  const targets = all.filter(hasCloudFormationAction);
  const others = all.filter((target) => !hasCloudFormationAction(target));
  const title = kind === 'publish' ? 'Publish' : 'Release';
  const remote = { action: `${title}-remote-${wave}`, targets: others };
  const count = Math.max(1, Math.ceil((targets.length + (others.length > 0 ? 1 : 0)) / ROOM));
  const width = Math.ceil(targets.length / count);
  return Array.from({ length: count }, (_, index) => ({
    stage: count === 1 ? stage : `${stage}-${index + 1}`,
    targets: targets.slice(index * width, (index + 1) * width),
    ...(others.length > 0 && index === count - 1 ? { remote } : {}),
  }));
}

/** The remote deployments of some steps. */
export function remoteDeployments(steps: readonly Step[]): RemoteDeployment[] {
  return steps.flatMap(({ remote }) => remote ?? []);
}

/** CDK's bootstrap roles that a remote deployment enters its targets through. */
export function remoteRoleArns(naming: Naming, { targets }: RemoteDeployment): string[] {
  return targets.flatMap((target) => [deployRoleArn(naming, target), target.publishRoleArn]);
}

/** Whether CodePipeline deploys to the target itself, and not the CDK CLI in a build. */
export function hasCloudFormationAction({ region }: ReleaseTarget): boolean {
  return REGIONS.get(region)?.cloudFormationActions ?? true;
}
