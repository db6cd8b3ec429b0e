import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { writeZip } from '../../../lib/archive';
import { LocalCloud } from '../../../lib/rehearsal/cloud';
import { PipelineEngine } from '../../../lib/rehearsal/engine';
import { ensureTools } from '../../../lib/rehearsal/tools';
import { ACCOUNT, COMMIT, REGION, temporaryFolder } from './fixture';

/** Real roles and real APIs: home account and region deploy to another account, in another region. */
const TARGET_ACCOUNT = '222222222222';
const TARGET_REGION = 'us-east-1';
const DEPLOY_ROLE = `arn:aws:iam::${TARGET_ACCOUNT}:role/deploy`;
const TARGET_BUCKET = 'artifacts-us-east-1';

let dir: string;
let cloud: LocalCloud;
let engine: PipelineEngine;

beforeAll(async () => {
  dir = temporaryFolder();
  engine = new PipelineEngine({
    sdkConfig: (account, region) => cloud.sdkConfig(account, region),
    environment: (account, region) => cloud.environment(account, region),
    logDir: join(dir, 'logs'),
    workDir: join(dir, 'work'),
    invoke: () => Promise.reject(new Error('nothing is invoked here')),
  });
  const { url } = await engine.listen();
  cloud = await LocalCloud.start({
    tools: await ensureTools(),
    stateDir: join(dir, 'state'),
    hooksUrl: url,
  });
  const s3 = new S3Client(cloud.sdkConfig(ACCOUNT, TARGET_REGION));
  await s3.send(new CreateBucketCommand({ Bucket: TARGET_BUCKET }));
  const statement = allow('s3:GetObject', `arn:aws:s3:::${TARGET_BUCKET}/*`, {
    Principal: { AWS: `arn:aws:iam::${TARGET_ACCOUNT}:root` },
  });
  await s3.send(
    new PutBucketPolicyCommand({
      Bucket: TARGET_BUCKET,
      Policy: JSON.stringify(policy(statement)),
    }),
  );
  await createStack(ACCOUNT, REGION, 'settings', {
    Setting: {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: '/setting', Type: 'String', Value: 'on' },
    },
  });
  await createStack(TARGET_ACCOUNT, TARGET_REGION, 'roles', {
    Deploy: role(
      'deploy',
      { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      allow(['s3:GetObject', 'cloudformation:*', 'ssm:*'], '*'),
    ),
  });
}, 300_000);

afterAll(async () => {
  await engine?.stop();
  await cloud?.stop();
  rmSync(dir, { recursive: true, force: true });
});

function allow(Action: string | string[], Resource: unknown, rest = {}) {
  return { Effect: 'Allow', Action, Resource, ...rest };
}

function policy(...Statement: unknown[]) {
  return { Version: '2012-10-17', Statement };
}

function role(RoleName: string, Principal: unknown, ...statements: unknown[]) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName,
      AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal }),
      Policies: [{ PolicyName: 'own', PolicyDocument: policy(...statements) }],
    },
  };
}

const arnOf = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });

/** The pipeline's own stack; the build's role may write its artifacts, or only read its sources. */
function homeResources(buildMayWrite: boolean, buildService = 'codebuild.amazonaws.com') {
  const everywhere = ['arn:aws:s3:::artifacts-eu-west-1/*', `arn:aws:s3:::${TARGET_BUCKET}/*`];
  const s3 = ['s3:GetObject', 's3:PutObject'];
  const assume = allow('sts:AssumeRole', [`arn:aws:iam::${ACCOUNT}:role/start-build`, DEPLOY_ROLE]);
  const type = (Category: string, Provider: string) => ({
    Category,
    Owner: 'AWS',
    Provider,
    Version: '1',
  });
  const store = (Location: string) => ({
    Type: 'S3',
    Location,
    EncryptionKey: { Id: arnOf('Key'), Type: 'KMS' },
  });
  const buildspec = {
    version: '0.2',
    env: { 'exported-variables': ['STACK'], 'parameter-store': { SETTING: '/setting' } },
    phases: {
      build: {
        commands: [
          'test -z "$LEAK"',
          'test "$SETTING" = on',
          'export STACK=released',
          'mkdir out',
          'sed "s/COMMIT/$COMMIT/" template.json > out/t.json',
        ],
      },
    },
    artifacts: { 'base-directory': 'out', files: '**/*' },
  };
  return {
    Key: {
      Type: 'AWS::KMS::Key',
      Properties: {
        KeyPolicy: policy(
          allow('kms:*', '*', { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }),
        ),
      },
    },
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'artifacts-eu-west-1' } },
    PipelineRole: role(
      'pipeline',
      { Service: 'codepipeline.amazonaws.com' },
      allow(s3, everywhere),
      assume,
    ),
    ActionRole: role(
      'start-build',
      { AWS: `arn:aws:iam::${ACCOUNT}:role/pipeline` },
      allow('codebuild:StartBuild', '*'),
    ),
    BuildRole: role(
      'build',
      { Service: buildService },
      allow(buildMayWrite ? s3 : ['s3:GetObject'], everywhere),
      allow('ssm:GetParameters', '*'),
    ),
    Project: {
      Type: 'AWS::CodeBuild::Project',
      Properties: {
        Name: 'synth',
        ServiceRole: arnOf('BuildRole'),
        Artifacts: { Type: 'CODEPIPELINE' },
        Environment: {
          Type: 'LINUX_CONTAINER',
          ComputeType: 'BUILD_GENERAL1_SMALL',
          Image: 'aws/codebuild/standard:7.0',
        },
        Source: { Type: 'CODEPIPELINE', BuildSpec: JSON.stringify(buildspec) },
      },
    },
    Pipeline: {
      Type: 'AWS::CodePipeline::Pipeline',
      Properties: {
        RoleArn: arnOf('PipelineRole'),
        PipelineType: 'V2',
        ExecutionMode: 'QUEUED',
        ArtifactStores: [
          { Region: REGION, ArtifactStore: store('artifacts-eu-west-1') },
          { Region: TARGET_REGION, ArtifactStore: store(TARGET_BUCKET) },
        ],
        Stages: [
          {
            Name: 'Source',
            Actions: [
              {
                Name: 'repo',
                ActionTypeId: type('Source', 'CodeStarSourceConnection'),
                Namespace: 'Source',
                Configuration: {
                  ConnectionArn: 'arn:connection',
                  FullRepositoryId: 'me/repo',
                  BranchName: 'main',
                },
                OutputArtifacts: [{ Name: 'Source' }],
              },
            ],
          },
          {
            Name: 'Build',
            Actions: [
              {
                Name: 'Synth',
                ActionTypeId: type('Build', 'CodeBuild'),
                Namespace: 'Build',
                RoleArn: arnOf('ActionRole'),
                Configuration: {
                  ProjectName: { Ref: 'Project' },
                  EnvironmentVariables: '[{"name":"COMMIT","value":"#{Source.CommitId}"}]',
                },
                InputArtifacts: [{ Name: 'Source' }],
                OutputArtifacts: [{ Name: 'Synth' }],
              },
            ],
          },
          {
            Name: 'Release',
            Actions: [
              {
                Name: 'Deploy',
                ActionTypeId: type('Deploy', 'CloudFormation'),
                RoleArn: DEPLOY_ROLE,
                Region: TARGET_REGION,
                Configuration: {
                  ActionMode: 'CREATE_UPDATE',
                  StackName: '#{Build.STACK}',
                  TemplatePath: 'Synth::t.json',
                },
                InputArtifacts: [{ Name: 'Synth' }],
              },
            ],
          },
        ],
      },
    },
  };
}

async function createStack(account: string, region: string, StackName: string, Resources: unknown) {
  const client = new CloudFormationClient(cloud.sdkConfig(account, region));
  await client.send(
    new CreateStackCommand({
      StackName,
      TemplateBody: JSON.stringify({ Resources }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  await waitUntilStackCreateComplete(
    { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { StackName },
  );
}

async function pushSource(): Promise<void> {
  const source = join(dir, 'template.json');
  const parameter = {
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: '/released', Type: 'String', Value: 'COMMIT' },
  };
  writeFileSync(source, JSON.stringify({ Resources: { P: parameter } }));
  const zipPath = join(dir, 'source.zip');
  await writeZip(zipPath, [{ source, path: 'template.json', mode: 0o644 }]);
  engine.pushCommit({ ...COMMIT, zipPath });
  await engine.idle();
}

test('releases to another account and region with the roles of the pipeline, the build and the target', async () => {
  process.env.LEAK = 'leak';
  await createStack(ACCOUNT, REGION, 'home', homeResources(true));
  await pushSource();
  delete process.env.LEAK;
  const [execution] = engine.executions();
  expect(execution).toMatchObject({ message: '', status: 'Succeeded', commitId: COMMIT.commitId });
  expect(execution?.stages[2]?.actions[0]).toMatchObject({
    account: TARGET_ACCOUNT,
    region: TARGET_REGION,
    role: DEPLOY_ROLE,
    message: 'released CREATE_COMPLETE',
  });
  const ssm = new SSMClient(cloud.sdkConfig(TARGET_ACCOUNT, TARGET_REGION));
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/released' }));
  expect(Parameter?.Value).toBe(COMMIT.commitId);
  const s3 = new S3Client(cloud.sdkConfig(ACCOUNT, TARGET_REGION));
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: TARGET_BUCKET }));
  expect(Contents).toHaveLength(1);
  expect(readFileSync(execution?.stages[2]?.actions[0]?.log ?? '', 'utf8')).toContain(
    'AWS::SSM::Parameter',
  );
}, 60_000);

async function updateHome(resources: object): Promise<void> {
  const client = new CloudFormationClient(cloud.sdkConfig(ACCOUNT, REGION));
  const TemplateBody = JSON.stringify({ Resources: resources });
  await client.send(
    new UpdateStackCommand({
      StackName: 'home',
      TemplateBody,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  await waitUntilStackUpdateComplete(
    { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { StackName: 'home' },
  );
}

test("fails in AWS's own words where the build's role may not write its artifact", async () => {
  await updateHome(homeResources(false));
  await pushSource();
  const execution = engine.executions().at(-1);
  expect(execution?.status).toBe('Failed');
  expect(execution?.message).toMatch(
    /Build\.Synth: AccessDenied: User: arn:aws:sts::111111111111:assumed-role\/build\/AWSCodeBuild-.* is not authorized to perform: s3:PutObject/,
  );
}, 60_000);

test("fails where the build's role trusts another service", async () => {
  await updateHome(homeResources(true, 'codepipeline.amazonaws.com'));
  await pushSource();
  const execution = engine.executions().at(-1);
  expect(execution?.status).toBe('Failed');
  expect(execution?.message).toMatch(
    /Build\.Synth: AccessDenied: .* is not authorized to perform: sts:AssumeRole on resource: .*:role\/build/,
  );
}, 60_000);
