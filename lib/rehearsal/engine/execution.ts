import { randomUUID } from 'node:crypto';
import { LayersError } from '../../errors';
import type { Artifacts } from './artifacts';
import type { PipelineDefinition } from './definition';
import {
  type ActionRun,
  type Artifact,
  type Commit,
  type ExecutionReport,
  type ExecutionStatus,
  type PipelineKey,
  type SourceRevision,
  type StageRun,
  secondsBetween,
  type Trigger,
} from './model';

/** Why an execution begins nothing more; its status once what runs has ended. */
export type Halt = 'Stopped' | 'Cancelled' | 'Superseded';

export interface ExecutionOptions {
  readonly pipeline: PipelineKey;
  readonly definition: PipelineDefinition;
  readonly version: number;
  readonly trigger: Trigger;
  readonly artifactStores: Artifacts;
  /** Commits by source action. */
  readonly commits: ReadonlyMap<string, Commit>;
  /** How many executions in a row began because the one before changed the pipeline. */
  readonly restarts: number;
  /** Execution whose artifacts and variables a rollback uses. */
  readonly rollbackTarget?: Execution;
  /** Execution whose earlier stages stand for this one's own. */
  readonly precedent?: { readonly execution: Execution; readonly stages: readonly string[] };
}

/** State of one pipeline execution. {@link PipelineRunner} moves it on. */
export class Execution {
  readonly id = randomUUID();
  readonly pipeline: PipelineKey;
  readonly definition: PipelineDefinition;
  readonly version: number;
  readonly trigger: Trigger;
  readonly artifactStores: Artifacts;
  readonly commits: ReadonlyMap<string, Commit>;
  readonly restarts: number;
  readonly rollbackTarget: Execution | undefined;
  /** Every attempt at every action, in order of start. */
  readonly actions: ActionRun[] = [];
  readonly stages: StageRun[] = [];
  readonly artifacts: Map<string, Artifact>;
  readonly variables: Map<string, Readonly<Record<string, string>>>;
  readonly sourceRevisions: SourceRevision[];
  readonly startTime = new Date();
  status: ExecutionStatus = 'InProgress';
  message = '';
  lastUpdateTime = this.startTime;
  endTime: Date | undefined;
  private haltReason: Halt | undefined;
  private haltController = new AbortController();
  private abandonController = new AbortController();
  private cancelController = new AbortController();

  constructor(options: ExecutionOptions) {
    this.pipeline = options.pipeline;
    this.definition = options.definition;
    this.version = options.version;
    this.trigger = options.trigger;
    this.artifactStores = options.artifactStores;
    this.commits = options.commits;
    this.restarts = options.restarts;
    this.rollbackTarget = options.rollbackTarget;
    const target = options.rollbackTarget;
    this.artifacts = new Map(target?.artifacts);
    this.sourceRevisions = [...(target?.sourceRevisions ?? [])];
    const defaults = options.definition.Variables.map(({ Name, DefaultValue }) => [
      Name,
      DefaultValue ?? '',
    ]);
    this.variables = new Map(target?.variables);
    if (options.precedent) this.follow(options.precedent);
    this.variables.set('variables', Object.fromEntries(defaults));
    this.variables.set('codepipeline', { PipelineExecutionId: this.id });
  }

  /** Aborted when nothing more may begin. */
  get halted(): AbortSignal {
    return this.haltController.signal;
  }

  /** Aborted when what runs must end at once. */
  get abandoned(): AbortSignal {
    return this.abandonController.signal;
  }

  /** Aborted when what only waits must end: the pipeline's definition has changed. */
  get cancelled(): AbortSignal {
    return this.cancelController.signal;
  }

  get halt(): Halt | undefined {
    return this.haltReason;
  }

  get isActive(): boolean {
    return this.status === 'InProgress' || this.status === 'Stopping';
  }

  /** Lets what runs end, and nothing more begin. The first reason stands. */
  haltAs(reason: Halt, message: string): void {
    if (this.haltReason) return;
    this.haltReason = reason;
    this.message = message;
    this.haltController.abort();
    if (reason === 'Cancelled') {
      this.cancelController.abort(new LayersError('ExecutionCancelled', message));
    }
  }

  /** Ends what runs, too. */
  abandon(reason: Error): void {
    this.haltAs('Stopped', reason.message);
    this.abandonController.abort(reason);
  }

  /** Back to work after a failure or a stop. */
  resume(): void {
    this.status = 'InProgress';
    this.message = '';
    this.endTime = undefined;
    this.haltReason = undefined;
    this.haltController = new AbortController();
    this.abandonController = new AbortController();
    this.cancelController = new AbortController();
  }

  /** Takes over what some stages of another execution did, with what they wrote. */
  private follow({ execution, stages }: NonNullable<ExecutionOptions['precedent']>): void {
    const isDone = ({ stage, status }: ActionRun) =>
      stages.includes(stage) && status === 'Succeeded';
    this.stages.push(...execution.stages.filter(({ name }) => stages.includes(name)));
    this.actions.push(...execution.actions.filter(isDone));
    this.sourceRevisions.push(...execution.sourceRevisions);
    const written = new Set(this.actions.flatMap(({ outputArtifacts }) => outputArtifacts));
    for (const [name, artifact] of execution.artifacts) {
      // Copies in other regions are made anew.
      const locations = new Map([...artifact.locations].slice(0, 1));
      if (written.has(name)) this.artifacts.set(name, { ...artifact, locations });
    }
    for (const { namespace } of this.actions) {
      if (namespace) this.variables.set(namespace, execution.variables.get(namespace) ?? {});
    }
  }

  stageRun(name: string): StageRun | undefined {
    return this.stages.find((stage) => stage.name === name);
  }

  /** Newest attempt at an action. */
  latest(stage: string, action: string): ActionRun | undefined {
    return this.actions.findLast((run) => run.stage === stage && run.name === action);
  }

  report(): ExecutionReport {
    const commitId = this.sourceRevisions[0]?.revisionId;
    return {
      id: this.id,
      pipeline: this.pipeline,
      version: this.version,
      trigger: this.trigger,
      ...(commitId && { commitId }),
      status: this.status,
      message: this.message,
      startTime: this.startTime.toISOString(),
      seconds: secondsBetween(this.startTime, this.endTime),
      stages: this.stages.map((stage) => ({
        name: stage.name,
        status: stage.status,
        seconds: secondsBetween(stage.startTime, stage.endTime),
        actions: this.actions
          .filter((run) => run.stage === stage.name)
          .map((run) => ({
            name: run.name,
            category: run.category,
            provider: run.provider,
            account: run.account,
            region: run.region,
            role: run.role,
            attempt: run.attempt,
            status: run.status,
            seconds: secondsBetween(run.startTime, run.endTime),
            message: run.message,
            log: run.log,
          })),
      })),
    };
  }
}
