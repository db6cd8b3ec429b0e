import { mkdir } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { LayersError } from '../../errors';
import type { InvokeHook, InvokeHookAnswer, PipelineHook } from '../hooks';
import { ActionFaults } from './action-faults';
import { ActionRunner, type Concurrency } from './action-runner';
import { RoleSessions, type SdkConfig, type SdkConfigFactory } from './credentials';
import { parseDefinition } from './definition';
import { EventLog } from './events';
import type { Commit, EngineEvent, ExecutionReport, PipelineKey } from './model';
import { Pipeline } from './pipeline';
import {
  type ActionProvider,
  CloudFormationDeploy,
  CodeBuildAction,
  ManualApproval,
  RepositorySource,
} from './providers';
import { type RunningServer, serve } from './server';
import { sourcesStartedBy } from './triggers';

export interface PipelineEngineOptions {
  /** Client configuration of an account's root user in a region. */
  readonly sdkConfig: (account: string, region: string) => SdkConfig;
  /** Variables that lead a build's AWS clients to the emulated APIs. */
  readonly environment: (account: string, region: string) => Record<string, string>;
  /** Logs go to `<logDir>/<executionId>/<stage>/<action>.log`. */
  readonly logDir: string;
  /** Existing folder for temporary files; each is removed after use. */
  readonly workDir: string;
  /** Runs a Lambda function for the emulator. */
  readonly invoke: (hook: InvokeHook) => Promise<InvokeHookAnswer>;
  readonly concurrency?: Concurrency;
  /**
   * Providers by their name in `ActionTypeId`, in place of the real ones.
   *
   * @default the real ones
   */
  readonly providers?: Readonly<Record<string, ActionProvider>>;
}

const commitSchema = z.object({
  zipPath: z.string().min(1),
  commitId: z.string().regex(/^[0-9a-f]{7,64}$/, 'must be the hexadecimal id of a commit'),
  message: z.string().default(''),
  branch: z.string().min(1),
  repository: z.string().optional(),
  authorDate: z.string().optional(),
  changedFiles: z.array(z.string()).optional(),
});

/**
 * Runs the pipelines that CloudFormation created in the emulated accounts, and answers the
 * CodePipeline API for them. IAM is not enforced on that API itself: whoever reaches the loopback
 * port may use it.
 */
export class PipelineEngine {
  readonly approvals = new ManualApproval();
  /** Actions that are to fail. */
  readonly faults = new ActionFaults();
  readonly sessions: RoleSessions;
  private readonly log = new EventLog();
  private readonly actions: ActionRunner;
  private readonly known = new Map<string, Pipeline>();
  /** Executions of deleted pipelines stay in the report. */
  private readonly deleted: Pipeline[] = [];
  private readonly properties = new Map<Pipeline, unknown>();
  private readonly commits: Commit[] = [];
  private readonly servers: RunningServer[] = [];
  private readonly closing: Promise<void>[] = [];

  constructor(private readonly options: PipelineEngineOptions) {
    const sdkConfig = sharedConnections(options.sdkConfig);
    this.sessions = new RoleSessions(sdkConfig);
    const providers = options.providers ?? {
      CodeStarSourceConnection: new RepositorySource(),
      CodeCommit: new RepositorySource(),
      CodeBuild: new CodeBuildAction(options.environment),
      CloudFormation: new CloudFormationDeploy(),
      Manual: this.approvals,
    };
    this.actions = new ActionRunner({
      providers: { Manual: this.approvals, ...providers },
      sessions: this.sessions,
      sdkConfig,
      events: this.log,
      faults: this.faults,
      logDir: options.logDir,
      workDir: options.workDir,
      ...(options.concurrency && { concurrency: options.concurrency }),
    });
  }

  /** Serves the CodePipeline API, the hooks and the rehearsal's own paths on a free loopback port. */
  async listen(): Promise<RunningServer> {
    await mkdir(this.options.workDir, { recursive: true });
    const server = await serve(this);
    this.servers.push(server);
    return server;
  }

  /**
   * Takes what CloudFormation did to a pipeline. A new pipeline starts by itself where its source is
   * known, as on AWS.
   *
   * @throws LayersError InvalidPipelineDefinition; nothing has changed then
   */
  applyHook(hook: PipelineHook): void {
    const key = { account: hook.account, region: hook.region, name: hook.name };
    const pipeline = this.known.get(keyText(key));
    if (hook.event === 'delete') {
      if (pipeline) this.delete(pipeline);
      return;
    }
    const definition = parseDefinition(hook.name, hook.region, hook.properties);
    // CloudFormation may send an update that changes nothing; it interrupts nothing either.
    if (pipeline && isDeepStrictEqual(this.properties.get(pipeline), hook.properties)) return;
    if (pipeline) {
      this.properties.set(pipeline, hook.properties);
      this.emitPipeline(key, 'Updated', `version ${hook.version}`);
      pipeline.update(definition, hook.version);
      return;
    }
    const created = new Pipeline({
      key,
      definition,
      version: hook.version,
      actions: this.actions,
      events: this.log,
      workDir: this.options.workDir,
      commits: this.commits,
    });
    this.known.set(keyText(key), created);
    this.properties.set(created, hook.properties);
    this.emitPipeline(key, 'Created', `version ${hook.version}`);
    const head = this.commits.at(-1);
    if (head && sourcesStartedBy(definition, head).length > 0) {
      created.start({ type: 'CreatePipeline', detail: hook.stackName });
    }
  }

  /**
   * Hands a commit to every pipeline whose source matches; answers the executions that it started.
   *
   * @throws LayersError InvalidCommit
   */
  pushCommit(commit: Commit): string[] {
    const parsed = commitSchema.safeParse(commit);
    if (!parsed.success) {
      const problems = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
      throw new LayersError('InvalidCommit', `the push is refused: ${problems.join('; ')}`);
    }
    const pushed: Commit = { authorDate: new Date().toISOString(), ...parsed.data };
    this.commits.push(pushed);
    return this.pipelines().flatMap((pipeline) => {
      const sources = sourcesStartedBy(pipeline.definition, pushed);
      if (sources.length === 0) return [];
      const given = new Map(sources.map((source) => [source, pushed]));
      return [pipeline.start({ type: 'Push', detail: pushed.commitId }, given).id];
    });
  }

  invoke(hook: InvokeHook): Promise<InvokeHookAnswer> {
    return this.options.invoke(hook);
  }

  pipelines(): Pipeline[] {
    return [...this.known.values()];
  }

  /** @throws LayersError PipelineNotFoundException */
  pipeline(key: PipelineKey): Pipeline {
    const pipeline = this.known.get(keyText(key));
    if (pipeline) return pipeline;
    throw new LayersError(
      'PipelineNotFoundException',
      `account '${key.account}' does not have a pipeline with name '${key.name}' in ${key.region}`,
    );
  }

  /** Every execution, oldest first. */
  executions(): ExecutionReport[] {
    return [...this.deleted, ...this.pipelines()]
      .flatMap((pipeline) => pipeline.executions)
      .sort((a, b) => a.startTime.getTime() - b.startTime.getTime())
      .map((execution) => execution.report());
  }

  events(since = 0): readonly EngineEvent[] {
    return this.log.since(since);
  }

  /** Hands over the events after `since`, then each new one; answers how to end it. */
  subscribe(listener: (event: EngineEvent) => void, since = 0): () => void {
    return this.log.subscribe(listener, since);
  }

  /** Resolves once no execution runs. */
  async idle(): Promise<void> {
    await Promise.all(this.pipelines().map((pipeline) => pipeline.idle()));
  }

  /** Kills builds, rejects waiting approvals, and closes the servers. */
  async stop(): Promise<void> {
    const reason = new LayersError('EngineStopped', 'the rehearsal was stopped');
    await Promise.all(this.pipelines().map((pipeline) => pipeline.close(reason)));
    await Promise.all(this.closing);
    await Promise.all(this.servers.splice(0).map((server) => server.close()));
  }

  /** Does not wait: the action that deletes the pipeline may be one of its own. */
  private delete(pipeline: Pipeline): void {
    this.known.delete(keyText(pipeline.key));
    this.properties.delete(pipeline);
    this.deleted.push(pipeline);
    this.emitPipeline(pipeline.key, 'Deleted');
    this.closing.push(
      pipeline.close(new LayersError('PipelineDeleted', 'the pipeline was deleted')),
    );
  }

  private emitPipeline(pipeline: PipelineKey, status: string, message?: string): void {
    this.log.emit({ type: 'pipeline', pipeline, status, ...(message && { message }) });
  }
}

/** Asks for each account and region once, so that all their clients share one pool of connections. */
function sharedConnections(sdkConfig: PipelineEngineOptions['sdkConfig']): SdkConfigFactory {
  const known = new Map<string, SdkConfig>();
  return (account, region, credentials) => {
    const key = `${account}/${region}`;
    const config = known.get(key) ?? sdkConfig(account, region);
    known.set(key, config);
    return credentials ? { ...config, credentials } : config;
  };
}

function keyText({ account, region, name }: PipelineKey): string {
  return `${account}/${region}/${name}`;
}
