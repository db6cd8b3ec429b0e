import { actionSeconds } from './duration';
import type { DeliveryPlan } from './plan';
import { type ActionKind, type ActionPlan, planStages } from './stages';

/**
 * US dollars in us-east-1, November 2026; docs/performance.md says which were read where.
 * Free tiers are not taken off.
 */
export const PRICES = {
  /** CodePipeline V2: a minute of an action, rounded up; approvals are free. */
  actionMinute: 0.002,
  /** CodeBuild: a minute, rounded up, general1.small and general1.medium. */
  smallBuildMinute: 0.005,
  mediumBuildMinute: 0.01,
  /** Data from one region to another, a gigabyte. */
  transferGigabyte: 0.02,
  /** A KMS key, a month. */
  keyMonth: 1,
  /** S3 Standard, a gigabyte and month. */
  storageGigabyteMonth: 0.023,
  /** CloudWatch, a month. */
  alarmMonth: 0.1,
  dashboardMonth: 3,
} as const;

/** Of `monitoring`. */
const ALARMS = 3;

/** US dollars, by what they are paid for. */
export interface CostEstimate {
  /** A run that publishes every layer to every target. */
  readonly run: {
    readonly pipeline: number;
    readonly builds: number;
    readonly transfer: number;
    readonly total: number;
  };
  /** What is paid whether it runs or not; storage is that of one release, and each further one adds as much. */
  readonly month: {
    readonly keys: number;
    readonly storage: number;
    readonly monitoring: number;
    readonly total: number;
  };
}

const GIGABYTE = 1e9;

const BUILD_MINUTE: Partial<Record<ActionKind, number>> = {
  build: PRICES.mediumBuildMinute,
  synth: PRICES.smallBuildMinute,
  'self-mutation': PRICES.smallBuildMinute,
  preflight: PRICES.smallBuildMinute,
  zips: PRICES.smallBuildMinute,
  smoke: PRICES.smallBuildMinute,
  'remote-publish': PRICES.smallBuildMinute,
  'remote-release': PRICES.smallBuildMinute,
};

/** What a plan should cost on AWS, by the modelled durations. Pure. */
export function estimateCost(plan: DeliveryPlan): CostEstimate {
  const { home, layers, waves, notifications, monitoring } = plan;
  const actions = planStages(plan).flatMap((stage) => stage.actions);
  const minutes = (action: ActionPlan) => Math.ceil(actionSeconds(plan, action) / 60);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const gigabytes = sum(layers.map(({ zipBytes }) => zipBytes)) / GIGABYTE;
  const targets = waves.flatMap((wave) => wave.targets);
  // CloudFormation actions have an artifact replica, with a key, in each of their regions.
  const replicas = new Set(
    actions
      .filter(({ kind }) => kind === 'publish')
      .flatMap((action) => action.targets ?? [])
      .map(({ region }) => region),
  );
  replicas.delete(home.region);
  const elsewhere = targets.filter(({ region }) => region !== home.region);
  const run = {
    pipeline: PRICES.actionMinute * sum(actions.map(minutes)),
    builds: sum(actions.map((action) => (BUILD_MINUTE[action.kind] ?? 0) * minutes(action))),
    transfer: PRICES.transferGigabyte * gigabytes * elsewhere.length,
  };
  const month = {
    keys: PRICES.keyMonth * (1 + replicas.size + (notifications ? 1 : 0)),
    storage: PRICES.storageGigabyteMonth * gigabytes * targets.length,
    monitoring: monitoring
      ? PRICES.alarmMonth * ALARMS + (monitoring.dashboard ? PRICES.dashboardMonth : 0)
      : 0,
  };
  return {
    run: { ...run, total: sum(Object.values(run)) },
    month: { ...month, total: sum(Object.values(month)) },
  };
}
