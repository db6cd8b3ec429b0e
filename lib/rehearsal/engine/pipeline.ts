import { LayersError } from '../../errors';
import type { ActionRunner } from './action-runner';
import { Artifacts } from './artifacts';
import { artifactStoreOf, type PipelineDefinition, type StageDefinition } from './definition';
import type { EventLog } from './events';
import { Execution, type ExecutionOptions } from './execution';
import type { Commit, PipelineKey, Trigger } from './model';
import { PipelineRunner, type RetryMode } from './pipeline-runner';
import { headOf, sourceActions } from './triggers';

/** After so many restarts in a row, a pipeline that changes itself each time is stopped. */
const MAX_RESTARTS = 3;

export interface PipelineOptions {
  readonly key: PipelineKey;
  readonly definition: PipelineDefinition;
  readonly version: number;
  readonly actions: Pick<ActionRunner, 'run'>;
  readonly events: EventLog;
  readonly workDir: string;
  /** Every commit pushed so far, oldest first. */
  readonly commits: readonly Commit[];
}

/** One pipeline: its definition, its executions and what can be asked of them. */
export class Pipeline {
  readonly key: PipelineKey;
  readonly created = new Date();
  updated = this.created;
  definition: PipelineDefinition;
  version: number;
  /** Oldest first. */
  readonly executions: Execution[] = [];
  readonly runner: PipelineRunner;
  private readonly running = new Set<Promise<void>>();
  /** Number of the restart that an update asked for and that waits for its executions to end. */
  private pendingRestart: number | undefined;
  private isDeleted = false;

  constructor(private readonly options: PipelineOptions) {
    this.key = options.key;
    this.definition = options.definition;
    this.version = options.version;
    this.runner = new PipelineRunner(options.actions, options.events);
  }

  /** Starts an execution from the source with the newest commits, or with the given ones. */
  start(trigger: Trigger, given: ReadonlyMap<string, Commit> = new Map(), restarts = 0): Execution {
    const commits = new Map<string, Commit>();
    for (const action of sourceActions(this.definition)) {
      const commit = given.get(action.Name) ?? headOf(action, this.options.commits);
      if (commit) commits.set(action.Name, commit);
    }
    const execution = this.newExecution(trigger, commits, restarts);
    this.track(execution, this.definition.Stages);
    return execution;
  }

  /**
   * Starts an execution at a later stage: the stages before are taken over from one that passed
   * them, with their artifacts. CodePipeline has no such thing; tests of one stage need not build.
   *
   * @throws LayersError StageNotFoundException, PrecedentUnfit
   */
  startAt(stageName: string, precedent: Execution): Execution {
    const from = this.stageIndex(stageName);
    const stages = this.definition.Stages.slice(0, from).map(({ Name }) => Name);
    const missing = stages.find((stage) => precedent.stageRun(stage)?.status !== 'Succeeded');
    if (missing !== undefined || precedent.version !== this.version) {
      throw new LayersError(
        'PrecedentUnfit',
        missing === undefined
          ? `execution ${precedent.id} ran version ${precedent.version} of the pipeline, which is ${this.version}`
          : `stage ${missing} did not succeed in execution ${precedent.id}`,
      );
    }
    const trigger = { type: 'StartPipelineExecution' as const, detail: precedent.id };
    const execution = this.newExecution(trigger, precedent.commits, 0, {
      precedent: { execution: precedent, stages },
    });
    this.track(execution, this.definition.Stages.slice(from));
    return execution;
  }

  /**
   * Takes a new definition. As on AWS, executions of the old one end as Cancelled once the actions
   * that run have ended, approvals that wait at once; with RestartExecutionOnUpdate a new execution
   * follows.
   */
  update(definition: PipelineDefinition, version: number): void {
    this.definition = definition;
    this.version = version;
    this.updated = new Date();
    const active = this.executions.filter((execution) => execution.isActive);
    for (const execution of active) {
      execution.haltAs('Cancelled', `the pipeline's definition was updated to version ${version}`);
    }
    if (!definition.RestartExecutionOnUpdate) return;
    this.pendingRestart = Math.max(0, ...active.map(({ restarts }) => restarts)) + 1;
    this.restartWhenIdle();
  }

  /** @throws LayersError PipelineExecutionNotFoundException, PipelineExecutionNotStoppableException */
  stop(executionId: string, abandon: boolean, reason: string): Execution {
    const execution = this.execution(executionId);
    if (!execution.isActive) {
      throw new LayersError(
        'PipelineExecutionNotStoppableException',
        `execution ${executionId} is ${execution.status}; only one in progress can be stopped`,
      );
    }
    const message = reason || 'stopped on request';
    if (abandon) execution.abandon(new LayersError('ExecutionAbandoned', message));
    else execution.haltAs('Stopped', message);
    execution.status = 'Stopping';
    this.runner.emitExecution(execution);
    return execution;
  }

  /** @throws LayersError StageNotFoundException, StageNotRetryableException */
  retry(stageName: string, executionId: string, mode: RetryMode): Execution {
    const from = this.stageIndex(stageName);
    const execution = this.execution(executionId);
    const status = execution.stageRun(stageName)?.status;
    const isNewest = this.runner.latestIn(stageName) === execution;
    const isRetryable = status === 'Failed' || status === 'Stopped';
    if (!isNewest || !isRetryable || execution.isActive || execution.version !== this.version) {
      throw new LayersError(
        'StageNotRetryableException',
        `stage ${stageName} is ${status ?? 'not reached'} in execution ${executionId}, which is ${execution.status}; only the newest execution of a stage, failed, of the present definition, can be retried`,
      );
    }
    execution.resume();
    // A rollback is of one stage.
    const to = execution.rollbackTarget ? from + 1 : undefined;
    this.track(execution, execution.definition.Stages.slice(from, to), mode);
    return execution;
  }

  /** @throws LayersError StageNotFoundException, UnableToRollbackStageException */
  rollback(
    stageName: string,
    targetId: string,
    type: Trigger['type'] = 'ManualRollback',
  ): Execution {
    const index = this.stageIndex(stageName);
    const target = this.execution(targetId);
    const problem =
      (index === 0 && 'a source stage cannot be rolled back') ||
      (target.rollbackTarget && 'the target is a rollback itself') ||
      (target.version !== this.version && 'the target ran another version of the pipeline') ||
      (target.stageRun(stageName)?.status !== 'Succeeded' &&
        'the stage did not succeed in the target');
    if (problem) {
      throw new LayersError(
        'UnableToRollbackStageException',
        `stage ${stageName} cannot be rolled back to execution ${targetId}: ${problem}`,
      );
    }
    const trigger = { type, detail: targetId };
    const execution = this.newExecution(trigger, target.commits, 0, { rollbackTarget: target });
    this.track(execution, [this.definition.Stages[index] as StageDefinition]);
    return execution;
  }

  /**
   * Keeps executions from entering a stage; undefined lets them in again.
   *
   * @throws LayersError StageNotFoundException
   */
  holdBefore(stageName: string, reason: string | undefined): void {
    this.stageIndex(stageName);
    if (reason !== undefined) this.runner.disableTransition(stageName, reason);
    else this.runner.enableTransition(stageName, this.definition.ExecutionMode);
  }

  /** @throws LayersError PipelineExecutionNotFoundException */
  execution(id: string): Execution {
    const execution = this.executions.find((candidate) => candidate.id === id);
    if (execution) return execution;
    throw new LayersError(
      'PipelineExecutionNotFoundException',
      `execution ${id} of pipeline ${this.key.name} does not exist`,
    );
  }

  /** @throws LayersError StageNotFoundException */
  stageIndex(name: string): number {
    const index = this.definition.Stages.findIndex((stage) => stage.Name === name);
    if (index >= 0) return index;
    throw new LayersError(
      'StageNotFoundException',
      `pipeline ${this.key.name} has no stage ${name}; it has ${this.definition.Stages.map((stage) => stage.Name).join(', ')}`,
    );
  }

  /** Ends everything that runs, and starts nothing more. */
  async close(reason: Error): Promise<void> {
    this.isDeleted = true;
    for (const execution of this.executions) if (execution.isActive) execution.abandon(reason);
    await this.idle();
  }

  /** Resolves once no execution runs, those that follow an update included. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private newExecution(
    trigger: Trigger,
    commits: ReadonlyMap<string, Commit>,
    restarts: number,
    earlier: Pick<ExecutionOptions, 'rollbackTarget' | 'precedent'> = {},
  ): Execution {
    const { definition, key, version } = this;
    const storeOf = (region: string) => artifactStoreOf(definition, key.region, region);
    const execution = new Execution({
      pipeline: key,
      definition,
      version,
      trigger,
      artifactStores: new Artifacts(key.name, storeOf, this.options.workDir),
      commits,
      restarts,
      ...earlier,
    });
    this.executions.push(execution);
    return execution;
  }

  private track(execution: Execution, stages: readonly StageDefinition[], mode?: RetryMode): void {
    const run = this.runner.run(execution, stages, mode).then(() => {
      this.running.delete(run);
      this.rollBackAutomatically(execution);
      this.restartWhenIdle();
    });
    this.running.add(run);
  }

  private restartWhenIdle(): void {
    if (this.pendingRestart === undefined || this.isDeleted) return;
    if (this.executions.some(({ halt, isActive }) => isActive && halt === 'Cancelled')) return;
    const restarts = this.pendingRestart;
    this.pendingRestart = undefined;
    const trigger = { type: 'PipelineUpdate' as const, detail: `version ${this.version}` };
    if (restarts <= MAX_RESTARTS) {
      // A pipeline that was never pushed to has nothing to run again.
      const sources = sourceActions(this.definition);
      const known = sources.every((action) => headOf(action, this.options.commits));
      if (known || this.executions.length > 0) this.start(trigger, this.lastCommits(), restarts);
      return;
    }
    const error = new LayersError(
      'EndlessRestart',
      `the pipeline changed itself ${restarts} times in a row; make its synthesis deterministic, so that a second run of one commit changes nothing`,
    );
    const execution = this.newExecution(trigger, this.lastCommits(), restarts);
    this.runner.fail(execution, `${error.code}: ${error.message}`);
  }

  /** A push to a branch that only a trigger names is no head: the restart takes what ran last. */
  private lastCommits(): ReadonlyMap<string, Commit> {
    const heads = sourceActions(this.definition).map((action) =>
      headOf(action, this.options.commits),
    );
    return heads.every(Boolean) ? new Map() : (this.executions.at(-1)?.commits ?? new Map());
  }

  private rollBackAutomatically(execution: Execution): void {
    const failed = execution.stages.at(-1);
    if (execution.status !== 'Failed' || failed?.status !== 'Failed') return;
    if (execution.rollbackTarget || execution.halt || execution.version !== this.version) return;
    const stage = this.definition.Stages.find(({ Name }) => Name === failed.name);
    if (stage?.OnFailure?.Result !== 'ROLLBACK') return;
    const target = this.executions.findLast(
      (candidate) =>
        !candidate.rollbackTarget &&
        candidate.version === this.version &&
        candidate.stageRun(failed.name)?.status === 'Succeeded',
    );
    if (target) this.rollback(failed.name, target.id, 'AutomatedRollback');
  }
}
