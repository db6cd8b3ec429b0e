import { type DeliveryConfig, pauseOf, REGIONS, type SharingConfig, targetsOf } from '../config';
import { LayersError } from '../errors';
import type {
  Architecture,
  ExampleManifest,
  ReleaseLayer,
  ReleasePlan,
  ReleaseTarget,
} from '../release';
import {
  bootstrapBucket,
  exampleFunctionName,
  filePublishingRoleArn,
  type Location,
  layerVersionArn,
  locate,
  lookupRoleArn,
  type Naming,
  publishStackName,
  releaseStackName,
  roleArn,
  targetSmokeRoleName,
} from './names';
import { checkQuotas } from './quotas';
import { cutWave, type WaveSteps } from './steps';

/** A target that is left out, visibly. */
export interface PausedTarget {
  readonly account: string;
  readonly region: string;
  readonly reason: string;
  /** Day on which the pause began, `2026-11-22`. */
  readonly since: string;
}

/** Targets that are released together. */
export interface WavePlan {
  readonly name: string;
  readonly approval: boolean;
  readonly targets: readonly ReleaseTarget[];
  readonly paused: readonly PausedTarget[];
  /** The stages that carry it out; none where every target is paused. */
  readonly steps?: WaveSteps;
}

/** Everything that the constructs render and the actions carry out, as plain data. */
export interface DeliveryPlan {
  readonly name: string;
  readonly qualifier: string;
  readonly namespace: string;
  readonly home: { readonly account: string; readonly region: string };
  readonly source: DeliveryConfig['source'];
  readonly sharing: SharingConfig;
  readonly notifications?: DeliveryConfig['notifications'];
  readonly monitoring?: DeliveryConfig['monitoring'];
  readonly schedule?: DeliveryConfig['schedule'];
  /** Architectures that need a build action. */
  readonly architectures: readonly Architecture[];
  readonly layers: readonly ReleaseLayer[];
  readonly examples: readonly ExampleRuntime[];
  readonly waves: readonly WavePlan[];
}

/** An example function's zip and how Lambda runs it. */
export interface ExampleRuntime extends ExampleManifest {
  /** Memory in MB. */
  readonly memory: number;
}

/**
 * From configuration and built layers to waves, targets and names. Pure.
 *
 * @throws LayersError `NameTooLong`, `NoTargets`, and `QuotaExceeded` as {@link checkQuotas} says
 */
export function planDelivery(
  config: DeliveryConfig,
  layers: readonly ReleaseLayer[],
  examples: readonly ExampleRuntime[],
): DeliveryPlan {
  const byName = [...layers].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const layer of byName) {
    const functionName = exampleFunctionName(config, layer.name);
    if (functionName.length > 64) {
      throw new LayersError(
        'NameTooLong',
        `function name "${functionName}" has ${functionName.length} characters, Lambda takes 64; shorten delivery.name "${config.name}"`,
      );
    }
  }
  const waves = config.waves.map((wave) => planWave(config, wave, byName));
  if (waves.every((wave) => wave.targets.length === 0)) {
    throw new LayersError(
      'NoTargets',
      'delivery.waves has no target that is not paused; resume one',
    );
  }
  const plan: DeliveryPlan = {
    name: config.name,
    qualifier: config.qualifier,
    namespace: config.namespace,
    home: config.home,
    source: config.source,
    sharing: config.sharing,
    notifications: config.notifications,
    monitoring: config.monitoring,
    schedule: config.schedule,
    architectures: [...new Set(byName.map(({ architecture }) => architecture))].sort(),
    layers: byName,
    examples: [...examples].sort((a, b) => (a.runtime < b.runtime ? -1 : 1)),
    waves,
  };
  checkQuotas(plan);
  return plan;
}

function planWave(
  config: DeliveryConfig,
  wave: DeliveryConfig['waves'][number],
  layers: readonly ReleaseLayer[],
): WavePlan {
  const targets: ReleaseTarget[] = [];
  const paused: PausedTarget[] = [];
  for (const place of targetsOf(wave)) {
    const pause = pauseOf(wave, place);
    if (pause) paused.push({ ...place, reason: pause.reason, since: pause.since });
    else targets.push(planTarget(config, wave.name, locate(place), layers));
  }
  return {
    name: wave.name,
    approval: wave.approval,
    targets,
    paused,
    steps: targets.length > 0 ? cutWave(wave, targets, canaryOf(wave, targets)) : undefined,
  };
}

function canaryOf(
  { canary, accounts }: DeliveryConfig['waves'][number],
  targets: readonly ReleaseTarget[],
): ReleaseTarget | undefined {
  if (!canary) return undefined;
  const account = canary.account ?? accounts[0];
  return targets.find((target) => target.account === account && target.region === canary.region);
}

/** Names and ARNs of a target that belongs to a wave. */
export function planTarget(
  naming: Naming,
  wave: string,
  location: Location,
  layers: readonly ReleaseLayer[],
): ReleaseTarget {
  return {
    ...location,
    wave,
    bucket: bootstrapBucket(naming, location),
    publishRoleArn: filePublishingRoleArn(naming, location),
    lookupRoleArn: lookupRoleArn(naming, location),
    smokeRoleArn: roleArn(location, targetSmokeRoleName(naming, location.region)),
    layers: layers.map((layer) => ({
      name: layer.name,
      arn: layerVersionArn(location, layer.name),
      functionName: exampleFunctionName(naming, layer.name),
    })),
  };
}

/** False where CodeBuild has no builder of the architecture in the home region. */
export function buildsNatively({ home }: DeliveryPlan, architecture: Architecture): boolean {
  return architecture === 'x86_64' || (REGIONS.get(home.region)?.gravitonBuilds ?? true);
}

/** The part of the plan that the publish and smoke actions carry out. */
export function releasePlan(plan: DeliveryPlan): ReleasePlan {
  return {
    schemaVersion: 1,
    homeRegion: plan.home.region,
    namespace: plan.namespace,
    publishStack: publishStackName(plan),
    releaseStack: releaseStackName(plan),
    layers: plan.layers,
    examples: plan.examples.map(({ memory: _, ...example }) => example),
    targets: plan.waves.flatMap((wave) => wave.targets),
  };
}
