import type { ActionRunner } from './action-runner';
import {
  type ActionDefinition,
  inRunOrder,
  type PipelineDefinition,
  type StageDefinition,
} from './definition';
import type { EventLog } from './events';
import type { Execution } from './execution';
import { type ExecutionStatus, type StageRun, type StageStatus, secondsBetween } from './model';
import { StageGate } from './stage-gate';

export type RetryMode = 'FAILED_ACTIONS' | 'ALL_ACTIONS';

/** Moves executions of one pipeline through its stages. */
export class PipelineRunner {
  private readonly gates = new Map<string, StageGate>();
  /** Execution that entered a stage last, by stage. */
  private readonly latest = new Map<string, Execution>();

  constructor(
    private readonly actions: Pick<ActionRunner, 'run'>,
    private readonly events: EventLog,
  ) {}

  latestIn(stage: string): Execution | undefined {
    return this.latest.get(stage);
  }

  /** Ids of the executions that wait in front of a stage. */
  inboundOf(stage: string): string[] {
    return this.gate(stage).inbound();
  }

  /** Why the transition into a stage is disabled; undefined while it is not. */
  disabledReasonOf(stage: string): string | undefined {
    return this.gate(stage).disabledReason;
  }

  disableTransition(stage: string, reason: string): void {
    this.gate(stage).disable(reason);
  }

  enableTransition(stage: string, mode: PipelineDefinition['ExecutionMode']): void {
    this.gate(stage).enable(mode);
  }

  /**
   * Runs stages one after the other to the end of the pipeline.
   *
   * @param stages all of the pipeline's, those from a retried one on, or the one rolled back
   * @param retry how the first stage treats what it already did in this execution
   */
  async run(
    execution: Execution,
    stages: readonly StageDefinition[],
    retry: RetryMode = 'FAILED_ACTIONS',
  ): Promise<void> {
    this.emitExecution(execution);
    let mode = retry;
    try {
      for (const stage of stages) {
        const status = await this.runStage(execution, stage, mode);
        if (status === 'Failed') return this.finish(execution, 'Failed');
        if (status !== 'Succeeded') break;
        mode = 'FAILED_ACTIONS';
      }
      const done = execution.stageRun(stages.at(-1)?.Name ?? '')?.status === 'Succeeded';
      this.finish(execution, done ? 'Succeeded' : (execution.halt ?? 'Failed'));
    } catch (error) {
      // Nothing may leave an execution in progress for ever.
      execution.message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.finish(execution, 'Failed');
    }
  }

  /** Answers undefined when the execution was halted before it could enter. */
  private async runStage(
    execution: Execution,
    stage: StageDefinition,
    retry: RetryMode,
  ): Promise<StageStatus | undefined> {
    const gate = this.gate(stage.Name);
    const visitor = {
      id: execution.id,
      halted: execution.halted,
      supersede: () => execution.haltAs('Superseded', 'a newer execution overtook this one'),
    };
    if (!(await gate.enter(visitor, execution.definition.ExecutionMode))) return undefined;
    try {
      this.latest.set(stage.Name, execution);
      const run = this.beginStage(execution, stage.Name);
      let status = await this.runGroups(execution, stage, retry);
      if (status === 'Failed' && stage.OnFailure?.Result === 'RETRY' && !execution.halt) {
        const mode = stage.OnFailure.RetryConfiguration?.RetryMode ?? 'FAILED_ACTIONS';
        status = await this.runGroups(execution, stage, mode);
        if (status === 'Succeeded') execution.message = '';
      }
      run.status = status;
      run.endTime = new Date();
      this.emitStage(execution, run);
      return status;
    } finally {
      gate.leave(execution.id);
    }
  }

  private async runGroups(
    execution: Execution,
    stage: StageDefinition,
    retry: RetryMode,
  ): Promise<StageStatus> {
    const groups = inRunOrder(stage).map((group) =>
      retry === 'ALL_ACTIONS' ? group : group.filter((action) => !isDone(execution, stage, action)),
    );
    for (const [index, group] of groups.entries()) {
      // A failed action lets those that run beside it finish.
      const runs = await Promise.all(
        group.map((action) => this.actions.run(execution, stage.Name, action)),
      );
      if (runs.some((run) => run.status === 'Abandoned')) {
        return execution.halt === 'Cancelled' ? 'Cancelled' : 'Stopped';
      }
      const failed = runs.find((run) => run.status === 'Failed');
      if (failed) {
        execution.message = `${stage.Name}.${failed.name}: ${failed.message}`;
        return 'Failed';
      }
      const isLast = groups.slice(index + 1).every((rest) => rest.length === 0);
      if (execution.halt && !isLast) return execution.halt === 'Stopped' ? 'Stopped' : 'Cancelled';
    }
    return 'Succeeded';
  }

  private beginStage(execution: Execution, name: string): StageRun {
    const known = execution.stageRun(name);
    const run: StageRun = known ?? { name, status: 'InProgress', startTime: new Date() };
    run.status = 'InProgress';
    run.endTime = undefined;
    if (!known) execution.stages.push(run);
    execution.lastUpdateTime = new Date();
    this.emitStage(execution, run);
    return run;
  }

  /** Ends an execution that must not begin. */
  fail(execution: Execution, message: string): void {
    execution.message = message;
    this.finish(execution, 'Failed');
  }

  private finish(execution: Execution, status: ExecutionStatus): void {
    execution.status = status;
    execution.endTime = new Date();
    execution.lastUpdateTime = execution.endTime;
    if (status === 'Succeeded') execution.message = '';
    this.emitExecution(execution);
  }

  private gate(stage: string): StageGate {
    const known = this.gates.get(stage);
    if (known) return known;
    const gate = new StageGate();
    this.gates.set(stage, gate);
    return gate;
  }

  emitExecution(execution: Execution): void {
    const seconds = secondsBetween(execution.startTime, execution.endTime);
    this.events.emit({
      type: 'execution',
      pipeline: execution.pipeline,
      executionId: execution.id,
      status: execution.status,
      ...(seconds !== undefined && { seconds }),
      ...(execution.message && { message: execution.message }),
      trigger: execution.trigger,
    });
  }

  private emitStage(execution: Execution, run: StageRun): void {
    const seconds = secondsBetween(run.startTime, run.endTime);
    this.events.emit({
      type: 'stage',
      pipeline: execution.pipeline,
      executionId: execution.id,
      stage: run.name,
      status: run.status,
      ...(seconds !== undefined && { seconds }),
    });
  }
}

function isDone(execution: Execution, stage: StageDefinition, action: ActionDefinition): boolean {
  return execution.latest(stage.Name, action.Name)?.status === 'Succeeded';
}
