import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  CodePipelineClient,
  DisableStageTransitionCommand,
  EnableStageTransitionCommand,
  GetPipelineCommand,
  GetPipelineExecutionCommand,
  GetPipelineStateCommand,
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
  ListPipelinesCommand,
  PutApprovalResultCommand,
  RetryStageExecutionCommand,
  RollbackStageCommand,
  StartPipelineExecutionCommand,
  StopPipelineExecutionCommand,
} from '@aws-sdk/client-codepipeline';
import type { EngineEvent } from '../../../lib/rehearsal/engine';
import { ensureTools } from '../../../lib/rehearsal/tools';
import {
  ACCOUNT,
  action,
  COMMIT,
  cleanUp,
  eventOf,
  KEY,
  NAME,
  properties,
  REGION,
  type Rehearsal,
  rehearsal,
} from './fixture';

let subject: Rehearsal;
let url: string;
let client: CodePipelineClient;

beforeEach(async () => {
  subject = rehearsal();
  ({ url } = await subject.engine.listen());
  client = clientOf(ACCOUNT);
});

afterEach(async () => {
  client.destroy();
  await cleanUp();
});

function clientOf(account: string, region = REGION): CodePipelineClient {
  const credentials = { accessKeyId: account, secretAccessKey: 'any' };
  return new CodePipelineClient({ endpoint: url, region, credentials, maxAttempts: 1 });
}

async function post(path: string, body: unknown): Promise<Response> {
  return fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
}

const stages = [
  {
    Name: 'Approve',
    Actions: [
      action('ask', 'Manual', { Configuration: { CustomData: 'ship #{Source.CommitId}?' } }),
    ],
  },
  {
    Name: 'Build',
    Actions: [action('build', 'CodeBuild', { InputArtifacts: [{ Name: 'Source' }] })],
  },
];

async function waiting(id: string): Promise<string> {
  await eventOf(
    subject.engine,
    (e) => e.executionId === id && e.action === 'ask' && e.message !== undefined,
  );
  const { stageStates } = await client.send(new GetPipelineStateCommand({ name: NAME }));
  const state = stageStates?.[1]?.actionStates?.[0]?.latestExecution;
  expect(state).toMatchObject({ status: 'InProgress', summary: `ship ${COMMIT.commitId}?` });
  return state?.token as string;
}

const answer = (token: string, status: 'Approved' | 'Rejected') =>
  client.send(
    new PutApprovalResultCommand({
      pipelineName: NAME,
      stageName: 'Approve',
      actionName: 'ask',
      token,
      result: { status, summary: 'said so' },
    }),
  );

test('takes a pipeline, a push and an approval, and shows them as the API does', async () => {
  const hook = {
    event: 'create',
    ...KEY,
    stackName: 's',
    version: 1,
    properties: properties(stages),
  };
  expect((await post('/hooks/pipeline', hook)).status).toBe(200);
  const { executionIds } = (await (await post('/rehearsal/push', COMMIT)).json()) as {
    executionIds: string[];
  };
  const id = executionIds[0] as string;
  const token = await waiting(id);
  const { approvedAt } = await answer(token, 'Approved');
  expect(approvedAt).toBeInstanceOf(Date);
  await subject.engine.idle();

  const { pipelines } = await client.send(new ListPipelinesCommand({}));
  expect(pipelines).toMatchObject([
    { name: NAME, version: 1, pipelineType: 'V2', executionMode: 'QUEUED' },
  ]);
  const { pipeline } = await client.send(new GetPipelineCommand({ name: NAME }));
  expect(pipeline?.stages?.[1]?.actions?.[0]?.actionTypeId?.provider).toBe('Manual');
  const { pipelineExecution } = await client.send(
    new GetPipelineExecutionCommand({ pipelineName: NAME, pipelineExecutionId: id }),
  );
  expect(pipelineExecution).toMatchObject({
    status: 'Succeeded',
    trigger: { triggerType: 'WebhookV2' },
  });
  const { pipelineExecutionSummaries } = await client.send(
    new ListPipelineExecutionsCommand({ pipelineName: NAME }),
  );
  expect(pipelineExecutionSummaries?.[0]?.sourceRevisions?.[0]?.revisionId).toBe(COMMIT.commitId);
  const { actionExecutionDetails } = await client.send(
    new ListActionExecutionsCommand({ pipelineName: NAME, filter: { pipelineExecutionId: id } }),
  );
  expect(actionExecutionDetails?.map((detail) => [detail.actionName, detail.status])).toEqual([
    ['build', 'Succeeded'],
    ['ask', 'Succeeded'],
    ['repo', 'Succeeded'],
  ]);
  expect(actionExecutionDetails?.[0]?.input?.inputArtifacts?.[0]?.s3location?.bucket).toBe(
    'artifacts',
  );
  const report = await (await fetch(`${url}/rehearsal/executions`)).json();
  expect(report).toMatchObject({ executions: [{ id, status: 'Succeeded', stages: [{}, {}, {}] }] });
});

test('fails the stage when the approval is rejected; a retry asks again with another token', async () => {
  subject.deploy(stages);
  const [id] = subject.engine.pushCommit(COMMIT) as [string];
  const first = await waiting(id);
  await answer(first, 'Rejected');
  await subject.engine.idle();
  expect(subject.engine.executions()[0]).toMatchObject({
    status: 'Failed',
    message: 'Approve.ask: rejected: said so',
  });
  await expect(answer(first, 'Approved')).rejects.toMatchObject({
    name: 'ApprovalAlreadyCompletedException',
  });

  const retried = await client.send(
    new RetryStageExecutionCommand({
      pipelineName: NAME,
      stageName: 'Approve',
      pipelineExecutionId: id,
      retryMode: 'FAILED_ACTIONS',
    }),
  );
  expect(retried.pipelineExecutionId).toBe(id);
  const second = await eventOf(
    subject.engine,
    (e) => e.action === 'ask' && (e.log ?? '').endsWith('ask.2.log') && e.message !== undefined,
  );
  expect(second.status).toBe('InProgress');
  await expect(answer(first, 'Approved')).rejects.toMatchObject({
    name: 'InvalidApprovalTokenException',
  });
  await answer(await waiting(id), 'Approved');
  await subject.engine.idle();
  expect(subject.engine.executions()[0]?.status).toBe('Succeeded');

  const rolledBack = await client.send(
    new RollbackStageCommand({
      pipelineName: NAME,
      stageName: 'Build',
      targetPipelineExecutionId: id,
    }),
  );
  await subject.engine.idle();
  const { pipelineExecution } = await client.send(
    new GetPipelineExecutionCommand({
      pipelineName: NAME,
      pipelineExecutionId: rolledBack.pipelineExecutionId,
    }),
  );
  expect(pipelineExecution).toMatchObject({
    status: 'Succeeded',
    executionType: 'ROLLBACK',
    rollbackMetadata: { rollbackTargetPipelineExecutionId: id },
  });
});

test('stops an execution that waits for approval', async () => {
  subject.deploy(stages);
  subject.engine.pushCommit(COMMIT);
  const started = await client.send(new StartPipelineExecutionCommand({ name: NAME }));
  const [first] = subject.engine.executions();
  await waiting(first?.id as string);
  for (const id of [started.pipelineExecutionId, first?.id]) {
    await client.send(
      new StopPipelineExecutionCommand({
        pipelineName: NAME,
        pipelineExecutionId: id,
        abandon: true,
        reason: 'enough',
      }),
    );
  }
  await subject.engine.idle();
  expect(subject.engine.executions().map((e) => [e.status, e.message])).toEqual([
    ['Stopped', 'enough'],
    ['Stopped', 'enough'],
  ]);
});

test('keeps executions in front of a stage whose transition is disabled', async () => {
  subject.deploy([stages[1]]);
  const transition = { pipelineName: NAME, stageName: 'Build', transitionType: 'Inbound' } as const;
  const reason = 'not on Fridays';
  await client.send(new DisableStageTransitionCommand({ ...transition, reason }));
  const ids = ['a', 'b'].flatMap((digit) =>
    subject.engine.pushCommit({ ...COMMIT, commitId: digit.repeat(40) }),
  );
  await eventOf(
    subject.engine,
    (e) => e.executionId === ids[1] && e.stage === 'Source' && e.status === 'Succeeded',
  );
  const held = await client.send(new GetPipelineStateCommand({ name: NAME }));
  expect(held.stageStates?.[1]).toMatchObject({
    inboundTransitionState: { enabled: false, disabledReason: reason },
    inboundExecutions: ids.map((pipelineExecutionId) => ({ pipelineExecutionId })),
  });
  expect(subject.fake.started).not.toContain('build');
  await client.send(new EnableStageTransitionCommand(transition));
  await subject.engine.idle();
  expect(subject.engine.executions().map(({ status }) => status)).toEqual([
    'Succeeded',
    'Succeeded',
  ]);
  const enabled = await client.send(new GetPipelineStateCommand({ name: NAME }));
  expect(enabled.stageStates?.[1]?.inboundTransitionState).toEqual({ enabled: true });
  const nowhere = { ...transition, stageName: 'Nope', reason };
  await expect(client.send(new DisableStageTransitionCommand(nowhere))).rejects.toMatchObject({
    name: 'StageNotFoundException',
  });
});

test('fails with the exceptions of the API', async () => {
  subject.deploy(stages);
  const get = (name: string) => client.send(new GetPipelineStateCommand({ name }));
  await expect(get('other')).rejects.toMatchObject({ name: 'PipelineNotFoundException' });
  const elsewhere = clientOf(ACCOUNT, 'us-east-1');
  await expect(elsewhere.send(new GetPipelineStateCommand({ name: NAME }))).rejects.toMatchObject({
    name: 'PipelineNotFoundException',
  });
  const other = clientOf('222222222222');
  expect((await other.send(new ListPipelinesCommand({}))).pipelines).toEqual([]);
  const stranger = clientOf('AKIASTRANGER');
  await expect(stranger.send(new ListPipelinesCommand({}))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  });
  const execution = {
    pipelineName: NAME,
    pipelineExecutionId: '00000000-0000-0000-0000-000000000000',
  };
  await expect(client.send(new GetPipelineExecutionCommand(execution))).rejects.toMatchObject({
    name: 'PipelineExecutionNotFoundException',
  });
  const rollback = {
    pipelineName: NAME,
    stageName: 'Nope',
    targetPipelineExecutionId: execution.pipelineExecutionId,
  };
  await expect(client.send(new RollbackStageCommand(rollback))).rejects.toMatchObject({
    name: 'StageNotFoundException',
  });
});

test('fails the hook of a pipeline that cannot be rehearsed, and keeps the one it has', async () => {
  subject.deploy(stages);
  const hook = { event: 'update', ...KEY, stackName: 's', version: 2, properties: properties([]) };
  const response = await post('/hooks/pipeline', hook);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'InvalidPipelineDefinition' });
  expect(subject.engine.pipeline(KEY).version).toBe(1);
});

test('passes invocations on, and answers 404 elsewhere', async () => {
  expect(await (await post('/hooks/invoke', { event: '{}' })).json()).toEqual({
    payload: '"pong"',
    log: '',
  });
  expect((await post('/elsewhere', {})).status).toBe(404);
});

test('streams events from the start, or from a sequence on', async () => {
  subject.deploy(stages);
  const [id] = subject.engine.pushCommit(COMMIT) as [string];
  await waiting(id);
  const seen = subject.engine.events();
  const read = async (since: number, count: number) => {
    const abort = new AbortController();
    const response = await fetch(`${url}/rehearsal/events?since=${since}`, {
      signal: abort.signal,
    });
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.trim().split('\n').length >= count) break;
    }
    abort.abort();
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as EngineEvent);
  };
  expect(await read(0, seen.length)).toEqual(seen);
  expect((await read(2, 1))[0]?.sequence).toBe(3);
  expect(seen.map((e) => e.sequence)).toEqual(seen.map((_, index) => index + 1));
});

test('serves the real AWS CLI', async () => {
  const { awsBin } = await ensureTools();
  subject.deploy(stages);
  const aws = (...args: string[]) =>
    promisify(execFile)(awsBin, ['codepipeline', ...args, '--output', 'json'], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        AWS_ENDPOINT_URL_CODEPIPELINE: url,
        AWS_ACCESS_KEY_ID: ACCOUNT,
        AWS_SECRET_ACCESS_KEY: 'any',
        AWS_DEFAULT_REGION: REGION,
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      },
    });
  const { stdout } = await aws('get-pipeline-state', '--name', NAME);
  expect(
    JSON.parse(stdout).stageStates.map((state: { stageName: string }) => state.stageName),
  ).toEqual(['Source', 'Approve', 'Build']);
  await expect(aws('get-pipeline', '--name', 'other')).rejects.toThrow(/PipelineNotFoundException/);
  // On a new machine it fetches the tools first.
}, 300_000);
