import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { type EngineEvent, PipelineEngine } from '../../../lib/rehearsal/engine';
import type {
  ActionContext,
  ActionProvider,
  ActionResult,
} from '../../../lib/rehearsal/engine/providers';

export const ACCOUNT = '111111111111';
export const REGION = 'eu-west-1';
export const NAME = 'delivery';
export const KEY = { account: ACCOUNT, region: REGION, name: NAME };
export const PIPELINE_ROLE = `arn:aws:iam::${ACCOUNT}:role/pipeline`;

export const COMMIT = {
  zipPath: '/nowhere/source.zip',
  commitId: '0123456789abcdef0123456789abcdef01234567',
  message: 'change "everything"',
  branch: 'main',
};

const PROVIDERS: Readonly<Record<string, readonly [string, Record<string, string>]>> = {
  CodeStarSourceConnection: [
    'Source',
    { ConnectionArn: 'arn:connection', FullRepositoryId: 'me/repo', BranchName: 'main' },
  ],
  CodeBuild: ['Build', { ProjectName: 'project' }],
  CloudFormation: [
    'Deploy',
    { ActionMode: 'CREATE_UPDATE', StackName: 'stack', TemplatePath: 'Source::template.json' },
  ],
  Manual: ['Approval', {}],
};

/** An action as CloudFormation resolves it. */
export function action(name: string, provider: string, rest: Record<string, unknown> = {}) {
  const [Category, configuration] = PROVIDERS[provider] ?? ['Build', {}];
  return {
    Name: name,
    ActionTypeId: { Category, Owner: 'AWS', Provider: provider, Version: '1' },
    RunOrder: 1,
    ...rest,
    Configuration: { ...configuration, ...(rest.Configuration as object) },
  };
}

export const SOURCE_STAGE = {
  Name: 'Source',
  Actions: [
    action('repo', 'CodeStarSourceConnection', {
      Namespace: 'Source',
      OutputArtifacts: [{ Name: 'Source' }],
    }),
  ],
};

export function properties(stages: readonly unknown[], rest: Record<string, unknown> = {}) {
  return {
    RoleArn: PIPELINE_ROLE,
    PipelineType: 'V2',
    ExecutionMode: 'QUEUED',
    ArtifactStore: { Type: 'S3', Location: 'artifacts' },
    Stages: [SOURCE_STAGE, ...stages],
    ...rest,
  };
}

type Step = (context: ActionContext) => Promise<ActionResult> | ActionResult;

/** Provider whose actions do what the test says by name; without a step they succeed. */
export class FakeProvider implements ActionProvider {
  readonly steps = new Map<string, Step>();
  /** Actions in the order of their start. */
  readonly started: string[] = [];
  running = 0;
  mostAtOnce = 0;

  async run(context: ActionContext): Promise<ActionResult> {
    this.started.push(context.action.Name);
    this.running++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    try {
      const outputs = context.action.OutputArtifacts.map(({ Name }) => ({
        name: Name,
        locations: new Map([
          [context.region, { bucket: 'artifacts', key: `${context.executionId}/${Name}` }],
        ]),
      }));
      const step = this.steps.get(context.action.Name);
      await new Promise((resolve) => setImmediate(resolve));
      return { outputs, ...(await step?.(context)) };
    } finally {
      this.running--;
    }
  }
}

export interface Rehearsal {
  readonly engine: PipelineEngine;
  readonly fake: FakeProvider;
  readonly dir: string;
  deploy(stages: readonly unknown[], rest?: Record<string, unknown>): void;
}

const engines: { readonly engine: PipelineEngine; readonly dir: string }[] = [];

/** An engine with fake providers and a fake STS; {@link cleanUp} ends it. */
export function rehearsal(concurrency = {}): Rehearsal {
  const sts = mockClient(STSClient);
  sts.on(AssumeRoleCommand).callsFake((input) => ({
    Credentials: {
      AccessKeyId: `ASIA${input.RoleArn}`,
      SecretAccessKey: 'secret',
      SessionToken: 'token',
      Expiration: new Date(Date.now() + 3_600_000),
    },
  }));
  const dir = temporaryFolder();
  const fake = new FakeProvider();
  const engine = new PipelineEngine({
    sdkConfig: (account, region) => ({
      region,
      credentials: { accessKeyId: account, secretAccessKey: 'secret' },
    }),
    environment: () => ({}),
    logDir: join(dir, 'logs'),
    workDir: join(dir, 'work'),
    invoke: async () => ({ payload: '"pong"', log: '' }),
    concurrency,
    providers: { CodeStarSourceConnection: sourceOf(fake), CodeBuild: fake, CloudFormation: fake },
  });
  engines.push({ engine, dir });
  let version = 0;
  return {
    engine,
    fake,
    dir,
    deploy: (stages, rest) =>
      engine.applyHook({
        event: ++version === 1 ? 'create' : 'update',
        ...KEY,
        stackName: 'pipeline-stack',
        version,
        properties: properties(stages, rest),
      }),
  };
}

export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'engine-test-'));
  mkdirSync(join(dir, 'work'));
  return dir;
}

export async function cleanUp(): Promise<void> {
  for (const { engine, dir } of engines.splice(0)) {
    await engine.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The first event that fits, past or to come. */
export function eventOf(
  engine: PipelineEngine,
  fits: (event: EngineEvent) => boolean,
): Promise<EngineEvent> {
  return new Promise((resolve) => {
    const stop = engine.subscribe((event) => {
      if (!fits(event)) return;
      resolve(event);
      setImmediate(() => stop());
    });
  });
}

function sourceOf(fake: FakeProvider): ActionProvider {
  return {
    run: async (context) => ({
      ...(await fake.run(context)),
      outputVariables: {
        CommitId: context.commit?.commitId ?? '',
        CommitMessage: context.commit?.message ?? '',
      },
      sourceRevision: {
        actionName: context.action.Name,
        revisionId: context.commit?.commitId ?? '',
        revisionSummary: '',
      },
    }),
  };
}
