import { PARAMETERS_AT_A_TIME } from './parameters';
import type { DeliveryPlan } from './plan';
import { type ActionKind, type ActionPlan, planStages } from './stages';

/**
 * Seconds that the model reckons with; docs/performance.md has the source of each.
 */
export const MODEL = {
  /** Between the end of a stage and the first action of the next. */
  transition: 2,
  /** CodePipeline fetching a commit through the connection. */
  source: 10,
  /** A CodeBuild action before its first command: queued, provisioning, fetching its input. */
  codeBuildStart: 16,
  /** A build action that finds every layer built, and each layer that it has to build. */
  build: 29,
  layerBuild: 5.7,
  /** A synth action, and each target in it. */
  synth: 34,
  synthTarget: 0.08,
  /** The CDK CLI's own installation, and each stack that it finds unchanged. */
  selfMutation: 15,
  unchangedStack: 1,
  /** All preflight checks of one target; `checks` targets side by side. */
  preflightCheck: 3,
  /** Bytes a second of one transfer to S3; the line carries `transfers` of them side by side. */
  transferBytes: 42_000_000,
  transfers: 8,
  /** A CloudFormation action beyond its resources. */
  cloudFormation: 23,
  /** Role and layer version, then the function that has both. */
  publishResources: 27,
  /** One parameter of a release stack, and those beside it. */
  parameter: 2,
  /** One layer's smoke check; `checks` targets side by side, each layer after layer. */
  smokeCheck: 2,
  checks: 32,
  /** The CDK CLI's own installation, then its deployments side by side. */
  remoteStart: 15,
} as const;

/**
 * Expected seconds of a run that publishes every layer to every target, approvals aside.
 * Actions of one run order take as long as the slowest of them.
 */
export function expectedSeconds(plan: DeliveryPlan): number {
  const stages = planStages(plan);
  return stages.reduce(
    (sum, { actions }) => sum + stageSeconds(plan, actions),
    MODEL.transition * (stages.length - 1),
  );
}

/** Expected seconds of one action; none for an approval. */
export function actionSeconds(plan: DeliveryPlan, { kind, targets = [] }: ActionPlan): number {
  return SECONDS[kind](plan, targets.length);
}

/** Expected seconds of one stage. */
export function stageSeconds(plan: DeliveryPlan, actions: readonly ActionPlan[]): number {
  const slowest = new Map<number, number>();
  for (const action of actions) {
    const seconds = actionSeconds(plan, action);
    slowest.set(action.runOrder, Math.max(slowest.get(action.runOrder) ?? 0, seconds));
  }
  return [...slowest.values()].reduce((sum, seconds) => sum + seconds, 0);
}

const remoteStart = MODEL.codeBuildStart + MODEL.remoteStart;
const publishStack = MODEL.cloudFormation + MODEL.publishResources;

/** A layer has at most four parameters: latest, major, version and record. */
const releaseStack = ({ layers }: DeliveryPlan) =>
  MODEL.cloudFormation + MODEL.parameter * Math.ceil((4 * layers.length) / PARAMETERS_AT_A_TIME);

/** Seconds of an action that deals with a number of targets. */
const SECONDS: Record<ActionKind, (plan: DeliveryPlan, targets: number) => number> = {
  source: () => MODEL.source,
  build: ({ layers, architectures }) =>
    MODEL.codeBuildStart +
    MODEL.build +
    MODEL.layerBuild * Math.ceil(layers.length / architectures.length),
  synth: ({ waves }) =>
    MODEL.codeBuildStart + MODEL.synth + MODEL.synthTarget * waves.flatMap((w) => w.targets).length,
  'self-mutation': ({ waves }) => {
    const regions = new Set(waves.flatMap(({ targets }) => targets.map(({ region }) => region)));
    return MODEL.codeBuildStart + MODEL.selfMutation + MODEL.unchangedStack * (regions.size + 1);
  },
  preflight: (_plan, targets) =>
    MODEL.codeBuildStart + Math.ceil(targets / MODEL.checks) * MODEL.preflightCheck,
  zips: ({ layers }, targets) => {
    const bytes = layers.reduce((sum, { zipBytes }) => sum + zipBytes, 0);
    return MODEL.codeBuildStart + (bytes * targets) / (MODEL.transferBytes * MODEL.transfers);
  },
  approval: () => 0,
  publish: () => publishStack,
  smoke: ({ layers }, targets) =>
    MODEL.codeBuildStart + Math.ceil(targets / MODEL.checks) * layers.length * MODEL.smokeCheck,
  release: releaseStack,
  'remote-publish': () => remoteStart + publishStack,
  'remote-release': (plan) => remoteStart + releaseStack(plan),
};
