import type { ActionLog } from '../action-log';
import type { Artifacts } from '../artifacts';
import type { RoleSession, RoleSessions, SdkConfigFactory } from '../credentials';
import type { ActionDefinition } from '../definition';
import type { Artifact, Commit, PipelineKey, SourceRevision } from '../model';

/** What a running action may tell before it ends. */
export interface ActionProgress {
  readonly message?: string;
  readonly externalExecutionId?: string;
  readonly externalEntityUrl?: string;
  /** Approval token; `undefined` when it no longer counts. */
  readonly token?: string;
}

/** Everything that an action works with. */
export interface ActionContext {
  readonly pipeline: PipelineKey;
  readonly executionId: string;
  readonly stage: string;
  readonly action: ActionDefinition;
  /** Configuration with every variable resolved. */
  readonly configuration: Readonly<Record<string, string>>;
  /** Region that the action runs in. */
  readonly region: string;
  /** Session of the pipeline's role. */
  readonly pipelineRole: RoleSession;
  /** Session of the action's role, or of the pipeline's where the action has none. */
  readonly actionRole: RoleSession;
  readonly sessions: RoleSessions;
  readonly sdkConfig: SdkConfigFactory;
  readonly artifacts: Artifacts;
  /** In the order of the definition. */
  readonly inputs: readonly Artifact[];
  /** Commit that a source action fetches; undefined when none was pushed. */
  readonly commit: Commit | undefined;
  readonly log: ActionLog;
  /** Folder of the engine for temporary files. */
  readonly workDir: string;
  /** Aborted when the execution is abandoned, the engine stops, or a fault ends the action. */
  readonly signal: AbortSignal;
  /** Aborted when the pipeline's definition has changed: what runs may end, what waits may not. */
  readonly cancelled: AbortSignal;
  /** Says that what the action is for has begun: a fault comes soon after. */
  begun(): void;
  progress(progress: ActionProgress): void;
}

export interface ActionResult {
  readonly message?: string;
  readonly outputVariables?: Readonly<Record<string, string>>;
  readonly outputs?: readonly Artifact[];
  readonly sourceRevision?: SourceRevision;
}

/** One action provider of CodePipeline. A rejection is the action's failure, its message the reason. */
export interface ActionProvider {
  run(context: ActionContext): Promise<ActionResult>;
}
