import type { Place } from '../config';
import type { ReleaseTarget } from '../release';
import type { DeliveryPlan } from './plan';
import { remoteDeployments, type Step } from './steps';

/** What an action does; each kind has its own duration. */
export type ActionKind =
  | 'source'
  | 'build'
  | 'synth'
  | 'self-mutation'
  | 'preflight'
  | 'zips'
  | 'approval'
  | 'publish'
  | 'smoke'
  | 'release'
  | 'remote-publish'
  | 'remote-release';

/** One action of the pipeline. */
export interface ActionPlan {
  readonly name: string;
  /** Actions of one number run side by side; the next number waits for all of them. */
  readonly runOrder: number;
  readonly kind: ActionKind;
  /** Targets that the action deals with. @default none */
  readonly targets?: readonly ReleaseTarget[];
}

/** One stage of the pipeline. */
export interface StagePlan {
  readonly name: string;
  readonly actions: readonly ActionPlan[];
  /**
   * What CodePipeline does by itself when the stage fails: run its failed actions once more, or
   * bring it back to what its last successful execution deployed.
   * @default it waits for a person
   */
  readonly onFailure?: 'retry' | 'rollback';
}

/** Every stage and action of the pipeline, in CodePipeline's order. Pure. */
export function planStages(plan: DeliveryPlan): StagePlan[] {
  const targets = plan.waves.flatMap((wave) => wave.targets);
  return [
    { name: 'Source', actions: [{ name: 'Source', runOrder: 1, kind: 'source' }] },
    {
      name: 'Build',
      actions: [
        ...plan.architectures.map((architecture) => ({
          name: `Build-${architecture}`,
          runOrder: 1,
          kind: 'build' as const,
        })),
        { name: 'Synth', runOrder: 2, kind: 'synth' },
      ],
      onFailure: 'retry',
    },
    {
      name: 'UpdatePipeline',
      actions: [{ name: 'SelfMutate', runOrder: 1, kind: 'self-mutation' }],
      onFailure: 'retry',
    },
    {
      name: 'Publish',
      actions: [
        { name: 'Preflight', runOrder: 1, kind: 'preflight', targets },
        { name: 'Publish-zips', runOrder: 2, kind: 'zips', targets },
      ],
      onFailure: 'retry',
    },
    ...plan.waves.flatMap((wave) => waveStages(wave)),
  ];
}

function waveStages({ name, targets, steps }: DeliveryPlan['waves'][number]): StagePlan[] {
  if (!steps) return [];
  // Never retried: a person who has said no must not be asked again.
  const approval: StagePlan[] = steps.approvalStage
    ? [
        {
          name: steps.approvalStage,
          actions: [{ name: `Approve-${name}`, runOrder: 1, kind: 'approval', targets }],
        },
      ]
    : [];
  const deployments = (kind: 'publish' | 'release', step: Step): ActionPlan[] => [
    ...step.targets.map((target) => ({
      name: deploymentName(kind, target),
      runOrder: 1,
      kind,
      targets: [target],
    })),
    ...remoteDeployments([step]).map(({ action, targets: those }) => ({
      name: action,
      runOrder: 1,
      kind: `remote-${kind}` as const,
      targets: those,
    })),
  ];
  return [
    ...approval,
    ...steps.publish.map((step) => ({
      name: step.stage,
      actions: [
        ...deployments('publish', step),
        ...(step.smoke
          ? [
              {
                name: step.smoke.action,
                runOrder: 2,
                kind: 'smoke' as const,
                targets: step.smoke.only ? [step.smoke.only] : targets,
              },
            ]
          : []),
      ],
      onFailure: 'retry' as const,
    })),
    ...steps.release.map((step) => ({
      name: step.stage,
      actions: deployments('release', step),
      onFailure: 'rollback' as const,
    })),
  ];
}

/** Name of the action that deploys a stack to a target. */
export function deploymentName(kind: 'publish' | 'release', { account, region }: Place) {
  return `${kind}-${account}-${region}`;
}
