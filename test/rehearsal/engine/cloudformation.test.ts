import {
  createReadStream,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  type Stack,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { extractZip, writeZip } from '../../../lib/archive';
import { ActionLog } from '../../../lib/rehearsal/engine/action-log';
import { Artifacts } from '../../../lib/rehearsal/engine/artifacts';
import type { RoleSession } from '../../../lib/rehearsal/engine/credentials';
import { type ActionContext, CloudFormationDeploy } from '../../../lib/rehearsal/engine/providers';
import { temporaryFolder } from './fixture';

const cloudFormation = mockClient(CloudFormationClient);
const s3 = mockClient(S3Client);
const missing = Object.assign(new Error('Stack with id app does not exist'), {
  name: 'ValidationError',
});
const noUpdates = Object.assign(new Error('No updates are to be performed.'), {
  name: 'ValidationError',
});

let dir: string;
let artifactBytes: number | undefined;
let uploads: {
  readonly user: string;
  readonly key: string;
  readonly sse?: string;
  readonly body: Buffer;
}[];

beforeEach(async () => {
  dir = temporaryFolder();
  uploads = [];
  artifactBytes = undefined;
  cloudFormation.reset();
  s3.reset();
  cloudFormation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] });
  s3.on(PutObjectCommand).callsFake(async (input, client) => {
    const { accessKeyId } = await client().config.credentials();
    uploads.push({
      user: accessKeyId,
      key: input.Key,
      sse: input.ServerSideEncryption,
      body: await buffer(input.Body as Readable),
    });
    return {};
  });
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function session(name: string): RoleSession {
  const credentials = { accessKeyId: name, secretAccessKey: 's', sessionToken: 't' };
  return {
    roleArn: `arn:aws:iam::111111111111:role/${name}`,
    credentials,
    config: (region) => ({ region, credentials }),
  };
}

async function deploy(
  configuration: Record<string, string>,
  files: Record<string, string> = { 't.json': '{}' },
) {
  const entries = Object.entries(files).map(([path, content], index) => {
    const source = join(dir, `file-${index}`);
    writeFileSync(source, content);
    return { source, path, mode: 0o644 };
  });
  const zip = join(dir, 'artifact.zip');
  await writeZip(zip, entries);
  s3.on(GetObjectCommand).callsFake(() => ({
    Body: createReadStream(zip),
    ContentLength: artifactBytes ?? statSync(zip).size,
  }));
  const log = await ActionLog.open(join(dir, 'action.log'));
  const store = {
    Type: 'S3' as const,
    Location: 'artifacts',
    EncryptionKey: { Id: 'key', Type: 'KMS' as const },
  };
  const context = {
    region: 'eu-west-1',
    configuration: {
      StackName: 'app',
      TemplatePath: 'Synth::t.json',
      ActionMode: 'CREATE_UPDATE',
      ...configuration,
    },
    action: { OutputArtifacts: configuration.OutputFileName ? [{ Name: 'Out' }] : [] },
    pipelineRole: session('pipeline'),
    actionRole: session('deploy'),
    artifacts: new Artifacts('delivery', () => store, join(dir, 'work')),
    inputs: [
      { name: 'Synth', locations: new Map([['eu-west-1', { bucket: 'artifacts', key: 'synth' }]]) },
    ],
    log,
    workDir: join(dir, 'work'),
    signal: new AbortController().signal,
    begun: () => undefined,
    progress: () => undefined,
  } as unknown as ActionContext;
  return new CloudFormationDeploy().run(context).finally(() => log.close());
}

function stacks(...statuses: (string | undefined)[]): void {
  const chain = cloudFormation.on(DescribeStacksCommand);
  for (const StackStatus of statuses) {
    if (!StackStatus) chain.rejectsOnce(missing);
    else {
      const stack = {
        StackId: 'id',
        StackName: 'app',
        StackStatus,
        CreationTime: new Date(),
        Outputs: [{ OutputKey: 'Url', OutputValue: 'here' }],
      };
      chain.resolvesOnce({ Stacks: [stack as Stack] });
    }
  }
}

test('creates a stack with the role, the capabilities and the parameters of the action', async () => {
  stacks(undefined, 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE');
  cloudFormation.on(CreateStackCommand).resolves({ StackId: 'id' });
  const result = await deploy(
    {
      RoleArn: 'arn:aws:iam::111111111111:role/exec',
      Capabilities: 'CAPABILITY_NAMED_IAM,CAPABILITY_AUTO_EXPAND',
      TemplateConfiguration: 'Synth::config.json',
      ParameterOverrides: '{"A":"override","B":{"Fn::GetParam":["Synth","values.json","b"]}}',
      OutputFileName: 'outputs.json',
    },
    {
      't.json': '{"Resources":{}}',
      'config.json': '{"Parameters":{"A":"1","C":3},"Tags":{"team":"x"}}',
      'values.json': '{"b":"from file"}',
    },
  );
  expect(cloudFormation.commandCalls(CreateStackCommand)[0]?.args[0].input).toEqual({
    StackName: 'app',
    TemplateBody: '{"Resources":{}}',
    RoleARN: 'arn:aws:iam::111111111111:role/exec',
    Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
    Parameters: [
      { ParameterKey: 'A', ParameterValue: 'override' },
      { ParameterKey: 'C', ParameterValue: '3' },
      { ParameterKey: 'B', ParameterValue: 'from file' },
    ],
    Tags: [{ Key: 'team', Value: 'x' }],
  });
  expect(result).toMatchObject({ outputVariables: { Url: 'here' }, outputs: [{ name: 'Out' }] });
  expect(uploads).toMatchObject([{ user: 'deploy', sse: 'aws:kms' }]);
  writeFileSync(join(dir, 'out.zip'), uploads[0]?.body as Buffer);
  mkdirSync(join(dir, 'out'));
  await extractZip(join(dir, 'out.zip'), join(dir, 'out'));
  expect(JSON.parse(readFileSync(join(dir, 'out', 'outputs.json'), 'utf8'))).toEqual({
    Url: 'here',
  });
});

test('uploads a template over 51,200 bytes with the role of the pipeline', async () => {
  stacks(undefined, 'CREATE_COMPLETE');
  cloudFormation.on(CreateStackCommand).resolves({ StackId: 'id' });
  const template = JSON.stringify({ Description: 'x'.repeat(51_200) });
  await deploy({}, { 't.json': template });
  const input = cloudFormation.commandCalls(CreateStackCommand)[0]?.args[0].input;
  expect(input?.TemplateBody).toBeUndefined();
  expect(input?.TemplateURL).toBe(
    `https://s3.eu-west-1.amazonaws.com/artifacts/${uploads[0]?.key}`,
  );
  expect(uploads[0]?.user).toBe('pipeline');
  expect(uploads[0]?.body.toString()).toBe(template);
});

test('takes an update without changes for a success', async () => {
  stacks('UPDATE_COMPLETE');
  cloudFormation.on(UpdateStackCommand).rejects(noUpdates);
  await expect(deploy({})).resolves.toMatchObject({ message: 'app UPDATE_COMPLETE' });
});

const event = (EventId: string, LogicalResourceId: string, ResourceStatusReason: string) => ({
  StackId: 'id',
  StackName: 'app',
  EventId,
  LogicalResourceId,
  ResourceType: 'AWS::SSM::Parameter',
  ResourceStatus: 'UPDATE_FAILED' as const,
  ResourceStatusReason,
  Timestamp: new Date(),
});

test('fails with the reason of the first resource that failed, and logs the events', async () => {
  stacks('CREATE_COMPLETE', 'UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE');
  cloudFormation.on(UpdateStackCommand).resolves({ StackId: 'id' });
  const old = event('0', 'Old', 'long ago');
  cloudFormation
    .on(DescribeStackEventsCommand)
    .resolvesOnce({ StackEvents: [old] })
    .resolves({
      StackEvents: [
        event('3', 'Later', 'no'),
        event('2', 'First', 'name is taken'),
        event('1', 'Beside', 'Resource update cancelled'),
        old,
      ],
    });
  await expect(deploy({})).rejects.toMatchObject({
    code: 'StackFailed',
    message: 'stack app is UPDATE_ROLLBACK_COMPLETE: First (AWS::SSM::Parameter): name is taken',
  });
  const log = readFileSync(join(dir, 'action.log'), 'utf8');
  expect(log).toContain('UPDATE_FAILED | AWS::SSM::Parameter | First | name is taken');
  expect(log).not.toContain('long ago');
});

test('finds the first failure of an operation of several pages of events, and reads no older page', async () => {
  stacks('CREATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE');
  cloudFormation.on(UpdateStackCommand).resolves({ StackId: 'id' });
  const old = event('0', 'Old', 'long ago');
  cloudFormation
    .on(DescribeStackEventsCommand)
    .resolvesOnce({ StackEvents: [old], NextToken: 'older' })
    .resolvesOnce({ StackEvents: [event('2', 'Later', 'no')], NextToken: 'next' })
    .resolvesOnce({ StackEvents: [event('1', 'First', 'name is taken'), old], NextToken: 'older' });
  await expect(deploy({})).rejects.toThrow('First (AWS::SSM::Parameter): name is taken');
  const pages = cloudFormation.commandCalls(DescribeStackEventsCommand);
  expect(pages.map(({ args }) => args[0].input.NextToken)).toEqual([undefined, undefined, 'next']);
});

test('fails on a stack that cannot be updated, unless it may be replaced', async () => {
  stacks('ROLLBACK_COMPLETE');
  await expect(deploy({})).rejects.toThrow('is in ROLLBACK_COMPLETE state and can not be updated');
  cloudFormation.reset();
  cloudFormation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] });
  cloudFormation.on(DeleteStackCommand).resolves({});
  cloudFormation.on(CreateStackCommand).resolves({ StackId: 'id2' });
  stacks('ROLLBACK_COMPLETE', 'ROLLBACK_COMPLETE', undefined, 'CREATE_COMPLETE');
  await deploy({ ActionMode: 'REPLACE_ON_FAILURE' });
  expect(cloudFormation.commandCalls(DeleteStackCommand)).toHaveLength(1);
  expect(cloudFormation.commandCalls(CreateStackCommand)).toHaveLength(1);
});

test('prepares and executes a change set', async () => {
  const changeSet = { ChangeSetName: 'change', StackId: 'id' };
  stacks(undefined, 'REVIEW_IN_PROGRESS', 'CREATE_COMPLETE');
  cloudFormation.on(CreateChangeSetCommand).resolves({});
  cloudFormation
    .on(DescribeChangeSetCommand)
    .resolvesOnce({ ...changeSet, Status: 'CREATE_IN_PROGRESS' })
    .resolves({ ...changeSet, Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
  cloudFormation.on(ExecuteChangeSetCommand).resolves({});
  await deploy({ ActionMode: 'CHANGE_SET_REPLACE', ChangeSetName: 'change' });
  expect(cloudFormation.commandCalls(CreateChangeSetCommand)[0]?.args[0].input.ChangeSetType).toBe(
    'CREATE',
  );
  const result = await deploy({ ActionMode: 'CHANGE_SET_EXECUTE', ChangeSetName: 'change' });
  expect(result.message).toBe('app CREATE_COMPLETE');
});

test('takes an empty change set for a success, twice', async () => {
  stacks('CREATE_COMPLETE', 'CREATE_COMPLETE');
  cloudFormation.on(CreateChangeSetCommand).resolves({});
  cloudFormation.on(DeleteChangeSetCommand).resolves({});
  const StatusReason = "The submitted information didn't contain changes.";
  cloudFormation.on(DescribeChangeSetCommand).resolves({ Status: 'FAILED', StatusReason });
  await expect(
    deploy({ ActionMode: 'CHANGE_SET_REPLACE', ChangeSetName: 'change' }),
  ).resolves.toEqual({ message: 'no changes' });
  await deploy({ ActionMode: 'CHANGE_SET_EXECUTE', ChangeSetName: 'change' });
  expect(cloudFormation.commandCalls(ExecuteChangeSetCommand)).toHaveLength(0);
});

test('deletes a stack, and is content when there is none', async () => {
  stacks('CREATE_COMPLETE', 'DELETE_IN_PROGRESS', undefined, undefined);
  cloudFormation.on(DeleteStackCommand).resolves({});
  await expect(deploy({ ActionMode: 'DELETE_ONLY' })).resolves.toEqual({
    message: 'stack app deleted',
  });
  await expect(deploy({ ActionMode: 'DELETE_ONLY' })).resolves.toEqual({
    message: 'stack app does not exist',
  });
});

test('fails on a template that the artifact does not hold', async () => {
  await expect(deploy({ TemplatePath: 'Synth::other.json' })).rejects.toThrow(
    'artifact Synth has no file other.json',
  );
  await expect(deploy({ TemplatePath: 'Nobody::t.json' })).rejects.toThrow(
    '"Nobody" is none of the action\'s input artifacts (Synth)',
  );
});

test('fails on an input artifact of more than 256 MB, as CodePipeline does', async () => {
  artifactBytes = 256 * 1024 ** 2 + 1;
  await expect(deploy({})).rejects.toMatchObject({
    code: 'ArtifactTooLarge',
    message: expect.stringContaining('artifact Synth has 268435457 bytes'),
  });
});
