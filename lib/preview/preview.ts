import { type DeliveryConfig, REGIONS } from '../config';
import {
  type CostEstimate,
  type DeliveryPlan,
  estimateCost,
  expectedSeconds,
  type PausedTarget,
  planDelivery,
  planStages,
  type QuotaUse,
  quotaUse,
  stageSeconds,
} from '../plan';
import type { Architecture } from '../release';
import type { ReleaseFolders } from '../release/prepare';
import { placeholderRelease } from '../standalone';

/** What a configuration would do, as `npm run plan -- --json FILE` writes it. */
export interface Preview {
  readonly schemaVersion: 1;
  /** Name of the pipeline. */
  readonly name: string;
  readonly home: { readonly account: string; readonly region: string };
  readonly layers: readonly PreviewLayer[];
  readonly waves: readonly PreviewWave[];
  readonly stages: readonly PreviewStage[];
  /** Quotas that depend on the configuration, and how much of each is used. */
  readonly quotas: readonly QuotaUse[];
  /** Regions in use of which something is not known for sure, with what that is. */
  readonly unconfirmed: readonly { readonly region: string; readonly what: readonly string[] }[];
  /** US dollars; modelled. */
  readonly cost: CostEstimate;
  /** Expected seconds of a run that publishes everything, approvals aside; modelled. */
  readonly seconds: number;
}

export interface PreviewLayer {
  readonly runtime: string;
  readonly version: string;
  readonly architecture: Architecture;
  /** Layer name; absent where the layer is not built on this machine, and its digest unknown. */
  readonly name?: string;
}

export interface PreviewWave {
  readonly name: string;
  readonly approval: boolean;
  /** `<account>/<region>` of each target that is not paused. */
  readonly targets: readonly string[];
  /** Target that goes first; absent where there is none. */
  readonly canary?: string;
  /** Publish steps; none where every target is paused. */
  readonly steps: number;
  readonly paused: readonly PausedTarget[];
}

export interface PreviewStage {
  readonly name: string;
  /** Expected seconds; modelled. */
  readonly seconds: number;
  readonly actions: readonly { readonly name: string; readonly runOrder: number }[];
}

/** Bytes that a layer which is not built yet is reckoned with. */
const USUAL_ZIP_BYTES = 41_000_000;

/**
 * Plans a configuration with the layers that are built on this machine, and with stand-ins for
 * the others. No network.
 *
 * @throws LayersError as `planDelivery` says; `UnknownRuntime`, `UnknownVersion`
 */
export function planLocally(
  config: DeliveryConfig,
  folders: ReleaseFolders,
): { readonly plan: DeliveryPlan; readonly unbuilt: readonly string[] } {
  const { layers, examples, unbuilt } = placeholderRelease(config, folders);
  const sized = layers.map((layer) =>
    unbuilt.includes(layer.name) ? { ...layer, zipBytes: USUAL_ZIP_BYTES } : layer,
  );
  return { plan: planDelivery(config, sized, examples), unbuilt };
}

/** @param unbuilt names of layers whose digest is not known */
export function preview(plan: DeliveryPlan, unbuilt: readonly string[] = []): Preview {
  const { name, home, layers, waves } = plan;
  return {
    schemaVersion: 1,
    name,
    home,
    layers: layers.map(({ name, runtime, version, architecture }) => ({
      runtime,
      version,
      architecture,
      ...(unbuilt.includes(name) ? {} : { name }),
    })),
    waves: waves.map(({ name, approval, targets, paused, steps }) => {
      const place = (target: { account: string; region: string }) =>
        `${target.account}/${target.region}`;
      const canary = steps?.publish.find(({ smoke }) => smoke?.only)?.smoke?.only;
      return {
        name,
        approval,
        targets: targets.map(place),
        ...(canary ? { canary: place(canary) } : {}),
        steps: steps?.publish.length ?? 0,
        paused,
      };
    }),
    stages: planStages(plan).map((stage) => ({
      name: stage.name,
      seconds: Math.round(stageSeconds(plan, stage.actions)),
      actions: stage.actions.map(({ name, runOrder }) => ({ name, runOrder })),
    })),
    quotas: quotaUse(plan),
    unconfirmed: unconfirmedFacts(plan),
    cost: estimateCost(plan),
    seconds: Math.round(expectedSeconds(plan)),
  };
}

function unconfirmedFacts({ home, waves }: DeliveryPlan): Preview['unconfirmed'] {
  const targets = waves.flatMap((wave) => wave.targets);
  const regions = new Set([home.region, ...targets.map(({ region }) => region)]);
  return [...regions].sort().flatMap((region) => {
    const what = REGIONS.get(region)?.unconfirmed;
    return what ? [{ region, what }] : [];
  });
}
