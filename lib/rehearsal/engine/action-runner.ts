import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LayersError } from '../../errors';
import type { ActionFaults } from './action-faults';
import { ActionLog } from './action-log';
import { accountOf, type RoleSessions, type SdkConfigFactory } from './credentials';
import type { ActionDefinition } from './definition';
import type { EventLog } from './events';
import type { Execution } from './execution';
import { Limit } from './limit';
import { type ActionRun, secondsBetween } from './model';
import type { ActionContext, ActionProvider, ActionResult } from './providers';
import { resolveVariables } from './variables';

/** How many actions of a provider run at once, over all pipelines. */
export interface Concurrency {
  /** @default 2 */
  readonly codeBuild?: number;
  /** @default 4 */
  readonly cloudFormation?: number;
}

export interface ActionRunnerOptions {
  /** By the provider's name in `ActionTypeId`. */
  readonly providers: Readonly<Record<string, ActionProvider>>;
  readonly sessions: RoleSessions;
  readonly sdkConfig: SdkConfigFactory;
  readonly events: EventLog;
  readonly faults: ActionFaults;
  readonly logDir: string;
  readonly workDir: string;
  readonly concurrency?: Concurrency;
}

/** Runs one action with its roles, its log and its limits. */
export class ActionRunner {
  private readonly limits: Readonly<Record<string, Limit>>;

  constructor(private readonly options: ActionRunnerOptions) {
    this.limits = {
      CodeBuild: new Limit(options.concurrency?.codeBuild ?? 2),
      CloudFormation: new Limit(options.concurrency?.cloudFormation ?? 4),
    };
  }

  /** Answers the finished run; an action's failure is in its status, never a rejection. */
  async run(execution: Execution, stage: string, action: ActionDefinition): Promise<ActionRun> {
    const limit = this.limits[action.ActionTypeId.Provider];
    const begin = () => this.attempt(execution, stage, action);
    if (!limit) return begin();
    try {
      return await limit.run(execution.abandoned, begin);
    } catch (error) {
      if (error !== execution.abandoned.reason) throw error;
      return this.attempt(execution, stage, action);
    }
  }

  private async attempt(
    execution: Execution,
    stage: string,
    action: ActionDefinition,
  ): Promise<ActionRun> {
    const run = this.newRun(execution, stage, action);
    execution.actions.push(run);
    this.emit(execution, run);
    try {
      const result = await this.logged(run, async (log) => {
        execution.abandoned.throwIfAborted();
        return this.invoke(execution, action, run, log);
      });
      this.keep(execution, action, result);
      run.status = 'Succeeded';
      run.message = result.message ?? '';
      run.outputVariables = result.outputVariables ?? {};
    } catch (error) {
      const isGivenUp = execution.abandoned.aborted || error === execution.cancelled.reason;
      run.status = isGivenUp ? 'Abandoned' : 'Failed';
      run.errorCode =
        isServiceError(error) && /AccessDenied/.test(error.name) ? 'PermissionError' : 'JobFailed';
      run.message = failureMessage(error, run);
    }
    run.endTime = new Date();
    run.lastUpdateTime = run.endTime;
    this.emit(execution, run);
    return run;
  }

  /** Acts with a log that ends with the failure, and fails where the log cannot be written. */
  private async logged<T>(run: ActionRun, act: (log: ActionLog) => Promise<T>): Promise<T> {
    const log = await ActionLog.open(run.log);
    let result: T;
    try {
      result = await act(log);
    } catch (error) {
      log.line(failureMessage(error, run));
      // A defect, not something that the user can put right: the log keeps where it happened.
      if (!(error instanceof LayersError || isServiceError(error))) {
        log.line(error instanceof Error ? (error.stack ?? '') : '');
      }
      // The action's own failure is the one to tell.
      await log.close().catch(() => undefined);
      throw error;
    }
    await log.close();
    return result;
  }

  private async invoke(
    execution: Execution,
    action: ActionDefinition,
    run: ActionRun,
    log: ActionLog,
  ): Promise<ActionResult> {
    const { sdkConfig, sessions, workDir } = this.options;
    const { definition, pipeline } = execution;
    const provider = this.options.providers[action.ActionTypeId.Provider];
    if (!provider) {
      throw new LayersError(
        'UnknownProvider',
        `no provider ${action.ActionTypeId.Provider} is registered`,
      );
    }
    const configuration = resolveVariables(action.Configuration, execution.variables);
    Object.assign(run.configuration, configuration);
    const pipelineRole = await sessions.assumeAsService(
      'codepipeline.amazonaws.com',
      definition.RoleArn,
      pipeline.region,
      execution.id,
    );
    const actionRole = action.RoleArn
      ? await sessions.assumeFrom(pipelineRole, action.RoleArn, run.region, execution.id)
      : pipelineRole;
    const contextOf = (fault: AbortSignal | undefined, begun: () => void): ActionContext => ({
      pipeline,
      executionId: execution.id,
      stage: run.stage,
      action,
      configuration,
      region: run.region,
      pipelineRole,
      actionRole,
      sessions,
      sdkConfig,
      artifacts: execution.artifactStores,
      inputs: action.InputArtifacts.map(({ Name }) => {
        const artifact = execution.artifacts.get(Name);
        if (artifact) return artifact;
        throw new LayersError('MissingArtifact', `input artifact ${Name} was not written`);
      }),
      commit: execution.commits.get(action.Name),
      log,
      workDir,
      signal: fault ? AbortSignal.any([execution.abandoned, fault]) : execution.abandoned,
      cancelled: execution.cancelled,
      begun,
      progress: (progress) => {
        Object.assign(run, progress, { lastUpdateTime: new Date() });
        if (progress.message !== undefined) this.emit(execution, run);
      },
    });
    return this.options.faults.strike(action.Name, (fault, begun) =>
      provider.run(contextOf(fault, begun)),
    );
  }

  private keep(execution: Execution, action: ActionDefinition, result: ActionResult): void {
    for (const artifact of result.outputs ?? []) execution.artifacts.set(artifact.name, artifact);
    if (action.Namespace) execution.variables.set(action.Namespace, result.outputVariables ?? {});
    if (result.sourceRevision) {
      const { sourceRevisions } = execution;
      const at = sourceRevisions.findIndex(({ actionName }) => actionName === action.Name);
      sourceRevisions.splice(at < 0 ? sourceRevisions.length : at, 1, result.sourceRevision);
    }
  }

  private newRun(execution: Execution, stage: string, action: ActionDefinition): ActionRun {
    const role = action.RoleArn ?? execution.definition.RoleArn;
    const attempt = (execution.latest(stage, action.Name)?.attempt ?? 0) + 1;
    const file = attempt === 1 ? `${action.Name}.log` : `${action.Name}.${attempt}.log`;
    const now = new Date();
    return {
      id: randomUUID(),
      stage,
      name: action.Name,
      category: action.ActionTypeId.Category,
      provider: action.ActionTypeId.Provider,
      account: accountOf(role),
      region: action.Region ?? execution.pipeline.region,
      role,
      attempt,
      configuration: { ...action.Configuration },
      inputArtifacts: action.InputArtifacts.map(({ Name }) => Name),
      outputArtifacts: action.OutputArtifacts.map(({ Name }) => Name),
      ...(action.Namespace && { namespace: action.Namespace }),
      status: 'InProgress',
      startTime: now,
      lastUpdateTime: now,
      message: '',
      outputVariables: {},
      log: join(this.options.logDir, execution.id, stage, file),
    };
  }

  private emit(execution: Execution, run: ActionRun): void {
    const seconds = secondsBetween(run.startTime, run.endTime);
    this.options.events.emit({
      type: 'action',
      pipeline: execution.pipeline,
      executionId: execution.id,
      stage: run.stage,
      action: run.name,
      status: run.status,
      ...(seconds !== undefined && { seconds }),
      ...(run.message && { message: run.message }),
      log: run.log,
    });
  }
}

/** An error that an AWS API answered. */
function isServiceError(error: unknown): error is Error {
  return error instanceof Error && '$metadata' in error;
}

/** AWS's own words come through untouched; who asked stands behind them. */
function failureMessage(error: unknown, run: ActionRun): string {
  if (error instanceof LayersError) return error.message;
  if (isServiceError(error)) {
    return `${error.name}: ${error.message} (action ${run.stage}.${run.name}, role ${run.role})`;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
