/** Plain data of the pipeline engine, in CodePipeline's own words. */

/** The (account, region, name) that a pipeline's definition and executions belong to. */
export interface PipelineKey {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

/** API reference, PipelineExecution `status`. */
export type ExecutionStatus =
  | 'InProgress'
  | 'Stopping'
  | 'Stopped'
  | 'Succeeded'
  | 'Superseded'
  | 'Cancelled'
  | 'Failed';

/** API reference, StageExecution `status`. */
export type StageStatus =
  | 'InProgress'
  | 'Succeeded'
  | 'Failed'
  | 'Stopping'
  | 'Stopped'
  | 'Cancelled';

/** API reference, ActionExecution `status`. */
export type ActionStatus = 'InProgress' | 'Succeeded' | 'Failed' | 'Abandoned';

/** Why an execution began. `Push` and `PipelineUpdate` are what the API calls `WebhookV2` and `StartPipelineExecution`. */
export type TriggerType =
  | 'CreatePipeline'
  | 'StartPipelineExecution'
  | 'Push'
  | 'PipelineUpdate'
  | 'ManualRollback'
  | 'AutomatedRollback';

export interface Trigger {
  readonly type: TriggerType;
  readonly detail: string;
}

/** A commit handed to the pipelines that watch its repository. */
export interface Commit {
  /** Absolute path of a zip of the tree, made by `git archive`. */
  readonly zipPath: string;
  /** 40 hex digits. */
  readonly commitId: string;
  readonly message: string;
  readonly branch: string;
  /** `owner/name`; matches every repository when absent. */
  readonly repository?: string;
  /** ISO 8601; the time of the push when absent. */
  readonly authorDate?: string;
  /** Paths that the commit changed; path filters match every push when absent. */
  readonly changedFiles?: readonly string[];
}

/** Where an artifact lies: one object in one region's artifact store. */
export interface ArtifactLocation {
  readonly bucket: string;
  readonly key: string;
}

/** Output artifact of an action; copied on demand to the stores of other regions. */
export interface Artifact {
  readonly name: string;
  /** Region to location. */
  readonly locations: Map<string, ArtifactLocation>;
  /** Commit that the artifact came from, where it is a source. */
  readonly revision?: string;
}

/** One attempt at one action. */
export interface ActionRun {
  readonly id: string;
  readonly stage: string;
  readonly name: string;
  /** Source, Build, Deploy, Approval. */
  readonly category: string;
  readonly provider: string;
  readonly account: string;
  readonly region: string;
  /** Role whose session makes the action's AWS calls. */
  readonly role: string;
  /** From 1; more than 1 after a retry. */
  readonly attempt: number;
  readonly configuration: Readonly<Record<string, string>>;
  readonly inputArtifacts: readonly string[];
  readonly outputArtifacts: readonly string[];
  readonly namespace?: string;
  status: ActionStatus;
  readonly startTime: Date;
  lastUpdateTime: Date;
  endTime?: Date;
  /** What happened, or why it failed. */
  message: string;
  /** Code of the failure, in the API's `errorDetails`. */
  errorCode?: string;
  /** Approval token, while the action waits for one. */
  token?: string;
  externalExecutionId?: string;
  externalEntityUrl?: string;
  outputVariables: Readonly<Record<string, string>>;
  /** Path of the log file. */
  readonly log: string;
}

export interface StageRun {
  readonly name: string;
  status: StageStatus;
  startTime: Date;
  endTime?: Date;
}

export interface SourceRevision {
  readonly actionName: string;
  readonly revisionId: string;
  readonly revisionSummary: string;
  readonly revisionUrl?: string;
}

/** What the report needs of one action, and nothing that changes under its feet. */
export interface ActionReport
  extends Readonly<
    Pick<
      ActionRun,
      | ('name' | 'category' | 'provider' | 'account' | 'region' | 'role')
      | ('attempt' | 'status' | 'message' | 'log')
    >
  > {
  /** Undefined while the action runs. */
  readonly seconds?: number;
}

export interface StageReport {
  readonly name: string;
  readonly status: StageStatus;
  readonly seconds?: number;
  /** Every attempt, in order of start. */
  readonly actions: readonly ActionReport[];
}

export interface ExecutionReport {
  readonly id: string;
  readonly pipeline: PipelineKey;
  /** Version of the definition that the execution ran. */
  readonly version: number;
  readonly trigger: Trigger;
  readonly commitId?: string;
  readonly status: ExecutionStatus;
  readonly message: string;
  readonly startTime: string;
  readonly seconds?: number;
  readonly stages: readonly StageReport[];
}

/** One change of state. `sequence` counts from 1 without gaps. */
export interface EngineEvent {
  readonly sequence: number;
  /** ISO 8601. */
  readonly time: string;
  readonly type: 'pipeline' | 'execution' | 'stage' | 'action';
  readonly pipeline: PipelineKey;
  /** Absent in events of type `pipeline`. */
  readonly executionId?: string;
  readonly stage?: string;
  readonly action?: string;
  readonly status: string;
  readonly seconds?: number;
  readonly message?: string;
  /** Path of the action's log file. */
  readonly log?: string;
  readonly trigger?: Trigger;
}

export function secondsBetween(start: Date, end: Date | undefined): number | undefined {
  return end && Math.round(end.getTime() - start.getTime()) / 1000;
}
