import type { ReleaseTarget } from '../release';
import { MAX_ACTIONS_PER_STAGE } from './quotas';

/** Targets that are published side by side: one CodePipeline stage, all deployments of one run order. */
export interface PublishStep {
  /** Name of the stage. */
  readonly stage: string;
  readonly targets: readonly ReleaseTarget[];
  /** The smoke test that follows the deployments; none before the last step of a wave. */
  readonly smoke?: SmokePlan;
}

/** A smoke action. */
export interface SmokePlan {
  /** Name of the action. */
  readonly action: string;
  /** The one target to test. @default every target of the wave */
  readonly only?: ReleaseTarget;
}

/** Targets whose permissions and parameters move side by side: one CodePipeline stage. */
export interface ReleaseStep {
  /** Name of the stage. */
  readonly stage: string;
  readonly targets: readonly ReleaseTarget[];
}

/** The stages of one wave, in their order. */
export interface WaveSteps {
  /** Stage that waits for a person. @default nobody is asked */
  readonly approvalStage?: string;
  readonly publish: readonly PublishStep[];
  readonly release: readonly ReleaseStep[];
}

/** What is left of a publish stage once its smoke action has its place. */
const TARGETS_PER_STEP = MAX_ACTIONS_PER_STAGE - 1;

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
  const publish = numbered(`${wave.name}-publish`, first.length > 0 ? rest : targets);
  return {
    approvalStage: wave.approval ? `${wave.name}-approval` : undefined,
    publish: [
      ...first,
      ...publish.map((step, index) =>
        index === publish.length - 1 ? { ...step, smoke: { action: `Smoke-${wave.name}` } } : step,
      ),
    ],
    release: numbered(`${wave.name}-release`, targets),
  };
}

function canaryStep(wave: string, canary: ReleaseTarget): PublishStep {
  return {
    stage: `${wave}-canary`,
    targets: [canary],
    smoke: { action: `Smoke-${wave}-canary`, only: canary },
  };
}

/** Steps of about the same width; a single one has no number. */
function numbered(stage: string, targets: readonly ReleaseTarget[]): ReleaseStep[] {
  const count = Math.ceil(targets.length / TARGETS_PER_STEP);
  const width = Math.ceil(targets.length / count);
  return Array.from({ length: count }, (_, index) => ({
    stage: count === 1 ? stage : `${stage}-${index + 1}`,
    targets: targets.slice(index * width, (index + 1) * width),
  }));
}
