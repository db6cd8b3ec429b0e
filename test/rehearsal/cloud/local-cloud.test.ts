import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  GetLayerVersionCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { LocalCloud } from '../../../lib/rehearsal/cloud';
import { ensureTools, type Tools } from '../../../lib/rehearsal/tools';
import { ACCOUNT, aws, eventually, FakeHooks, REGION, Stacks, zip } from './fixture';

let folder: string;
let tools: Tools;
let hooks: FakeHooks;
let cloud: LocalCloud;
let stacks: Stacks;
let s3: S3Client;
let lambda: LambdaClient;

const BUCKET = 'local-cloud-test';
const role = {
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'function-role',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'lambda.amazonaws.com' },
        },
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
        },
      ],
    },
  },
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cloud-test-'));
  tools = await ensureTools();
  hooks = await FakeHooks.start();
  cloud = await LocalCloud.start({ tools, stateDir: folder, hooksUrl: hooks.url });
  stacks = new Stacks(cloud);
  s3 = new S3Client(cloud.sdkConfig(ACCOUNT, REGION));
  lambda = new LambdaClient(cloud.sdkConfig(ACCOUNT, REGION));
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const put = (Key: string, Body: Buffer) =>
    s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  await put(
    'layer.zip',
    zip({
      bootstrap: { content: '#!/bin/sh\n', mode: 0o755 },
      'lib/a.txt': { content: 'a' },
    }),
  );
  await put(
    'code.zip',
    zip({ 'index.js': { content: 'code' }, bootstrap: { content: 'no mode', mode: 0o644 } }),
  );
  await put('broken.zip', Buffer.from('not a zip'));
  expect((await stacks.create('role', { Role: role })).status).toBe('CREATE_COMPLETE');
}, 600_000);

afterAll(async () => {
  await cloud?.stop();
  await hooks?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('the local cloud', () => {
  test('is every account, over TLS, for the real AWS CLI', async () => {
    const result = await aws(
      tools.awsBin,
      cloud.environment('222222222222', 'us-east-1'),
      'sts',
      'get-caller-identity',
    );
    expect(result.status).toBe(0);
    expect(JSON.parse(result.output)).toMatchObject({
      Account: '222222222222',
      Arn: 'arn:aws:iam::222222222222:root',
    });
    expect(cloud.endpoint).toMatch(/^https:\/\/localhost:\d+$/);
  });

  test('listens on the loopback address only', () => {
    const port = Number(new URL(cloud.endpoint).port).toString(16).toUpperCase().padStart(4, '0');
    const listening = ['tcp', 'tcp6']
      .flatMap((file) => readFileSync(`/proc/net/${file}`, 'utf8').split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => state === '0A' && local.endsWith(`:${port}`));
    expect(listening.map(([, local]) => local)).toEqual([`0100007F:${port}`]);
  });

  test('denies a role session what its role does not allow', async () => {
    const root = cloud.environment(ACCOUNT, REGION);
    const assumed = await aws(
      tools.awsBin,
      root,
      'sts',
      'assume-role',
      '--role-arn',
      `arn:aws:iam::${ACCOUNT}:role/function-role`,
      '--role-session-name',
      'test',
    );
    expect(assumed.status).toBe(0);
    const { AccessKeyId, SecretAccessKey, SessionToken } = JSON.parse(assumed.output).Credentials;
    const session = {
      ...root,
      AWS_ACCESS_KEY_ID: AccessKeyId,
      AWS_SECRET_ACCESS_KEY: SecretAccessKey,
      AWS_SESSION_TOKEN: SessionToken,
    };
    const denied = await aws(tools.awsBin, session, 's3api', 'list-objects-v2', '--bucket', BUCKET);
    expect(denied).toEqual({
      status: expect.any(Number),
      output: expect.stringContaining('AccessDenied'),
    });
    expect(denied.status).not.toBe(0);
  });

  test('keeps and verifies the SHA-256 of an object', async () => {
    const put = (ChecksumSHA256: string) =>
      s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'sum', Body: 'hello', ChecksumSHA256 }));
    const sum = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';
    await put(sum);
    const head = await s3.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: 'sum', ChecksumMode: 'ENABLED' }),
    );
    expect(head.ChecksumSHA256).toBe(sum);
    await expect(put('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')).rejects.toMatchObject({
      name: 'BadDigest',
    });
  });
});

describe('a pipeline in a stack', () => {
  const pipeline = (stage: string) => ({
    Role: { ...role, Properties: { ...role.Properties, RoleName: 'pipeline-role' } },
    Pipeline: {
      Type: 'AWS::CodePipeline::Pipeline',
      Properties: {
        Name: 'delivery',
        RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        Stages: [{ Name: { 'Fn::Join': ['-', [stage, { Ref: 'AWS::Region' }]] }, Actions: [] }],
      },
    },
  });

  test('is told to the engine with resolved properties, at each change', async () => {
    const created = await stacks.create('pipeline', pipeline('Source'));
    expect(created).toMatchObject({ status: 'CREATE_COMPLETE', outputs: { Pipeline: 'delivery' } });
    expect((await stacks.update('pipeline', pipeline('Changed'))).status).toBe('UPDATE_COMPLETE');
    expect(await stacks.delete('pipeline')).toBe('DELETE_COMPLETE');

    const common = { account: ACCOUNT, region: REGION, stackName: 'pipeline', name: 'delivery' };
    expect(hooks.pipelines).toMatchObject([
      {
        ...common,
        event: 'create',
        version: 1,
        properties: {
          RoleArn: `arn:aws:iam::${ACCOUNT}:role/pipeline-role`,
          Stages: [{ Name: 'Source-eu-west-1', Actions: [] }],
          Tags: expect.arrayContaining([
            { Key: 'aws:cloudformation:stack-name', Value: 'pipeline' },
          ]),
        },
      },
      {
        ...common,
        event: 'update',
        version: 2,
        properties: { Stages: [{ Name: 'Changed-eu-west-1' }] },
      },
      { ...common, event: 'delete', version: 2 },
    ]);
  });

  test('fails the deployment with the words of the engine when that refuses it', async () => {
    hooks.refusePipelines = 'stage Source has no actions';
    const { status, failures } = await stacks.create('refused', pipeline('Source'));
    hooks.refusePipelines = '';
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(failures).toContain('answered 422: stage Source has no actions');
  });
});

describe('a function', () => {
  const layer = {
    Type: 'AWS::Lambda::LayerVersion',
    Properties: { LayerName: 'runtime', Content: { S3Bucket: BUCKET, S3Key: 'layer.zip' } },
  };
  const resources = {
    Layer: layer,
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'example',
        Runtime: 'provided.al2023',
        Handler: 'index.handler',
        Architectures: ['arm64'],
        Code: { S3Bucket: BUCKET, S3Key: 'code.zip' },
        Layers: [{ Ref: 'Layer' }],
        Role: `arn:aws:iam::${ACCOUNT}:role/function-role`,
        MemorySize: 256,
        Timeout: 7,
        Environment: { Variables: { GREETING: 'hello' } },
      },
    },
  };
  const invoke = (...args: string[]) =>
    aws(
      tools.awsBin,
      cloud.environment(ACCOUNT, REGION),
      'lambda',
      'invoke',
      '--function-name',
      'example',
      ...args,
      join(folder, 'out.json'),
    );

  beforeAll(async () => {
    const { status, failures } = await stacks.create('function', resources);
    expect({ status, failures }).toEqual({ status: 'CREATE_COMPLETE', failures: '' });
  }, 30_000);

  test('runs in the engine, with its code and layers unpacked as they are in the zips', async () => {
    hooks.answer = ({ event }) => ({ payload: `  ${event}`, log: 'from the runtime\n' });
    const result = await invoke('--payload', '{"text":"grüße"}', '--log-type', 'Tail');

    expect(result.status).toBe(0);
    expect(JSON.parse(result.output)).toEqual({
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      LogResult: Buffer.from('from the runtime\n').toString('base64'),
    });
    // The answer arrives byte for byte.
    expect(readFileSync(join(folder, 'out.json'), 'utf8')).toBe('  {"text": "grüße"}');
    const hook = hooks.invocations.at(-1);
    expect(hook).toMatchObject({
      functionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:example`,
      version: '$LATEST',
      handler: 'index.handler',
      architecture: 'arm64',
      memoryMb: 256,
      timeoutSeconds: 7,
      environment: { GREETING: 'hello' },
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(readFileSync(join(hook?.layerDirs[0] ?? '', 'lib/a.txt'), 'utf8')).toBe('a');
    expect(statSync(join(hook?.layerDirs[0] ?? '', 'bootstrap')).mode & 0o777).toBe(0o755);
    expect(statSync(join(hook?.codeDir ?? '', 'bootstrap')).mode & 0o777).toBe(0o644);
  });

  test('fails as on AWS: status 200, FunctionError, and the error of the runtime', async () => {
    const payload = JSON.stringify({ errorType: 'Function.Broken', errorMessage: 'no', trace: [] });
    hooks.answer = () => ({ payload, functionError: 'Unhandled', log: '' });
    const result = await invoke();
    expect(JSON.parse(result.output)).toMatchObject({
      StatusCode: 200,
      FunctionError: 'Unhandled',
    });
    expect(readFileSync(join(folder, 'out.json'), 'utf8')).toBe(payload);
  });

  test('fails, and never answers by itself, when the engine cannot run it', async () => {
    hooks.answer = () => ({ log: 'no payload' }) as never;
    const result = await lambda.send(new InvokeCommand({ FunctionName: 'example' }));
    expect(result.FunctionError).toBe('Unhandled');
    expect(JSON.parse(Buffer.from(result.Payload ?? []).toString())).toEqual({
      errorType: 'Rehearsal.HookFailed',
      errorMessage: expect.stringContaining('answered without a payload'),
    });
  });

  test('fails to be created by a stack when another stack has its name', async () => {
    const { status, failures } = await stacks.create('second', {
      Function: {
        ...resources.Function,
        Properties: { ...resources.Function.Properties, Layers: [] },
      },
    });
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(failures).toContain('Function already exist: example');
  });
});

describe('as strict as AWS', () => {
  const layerOf = (key: string, extra = {}) => ({
    Layer: {
      Type: 'AWS::Lambda::LayerVersion',
      Properties: { LayerName: 'strict', Content: { S3Bucket: BUCKET, S3Key: key } },
      ...extra,
    },
  });
  const functionOf = (properties: object) => ({
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Runtime: 'provided.al2023',
        Handler: 'x',
        Code: { S3Bucket: BUCKET, S3Key: 'code.zip' },
        Role: `arn:aws:iam::${ACCOUNT}:role/function-role`,
        ...properties,
      },
    },
  });

  test('fails a layer whose object is missing or no zip, without spending its number', async () => {
    const missing = await stacks.create('missing-layer', layerOf('nowhere.zip'));
    expect(missing.status).toBe('ROLLBACK_COMPLETE');
    expect(missing.failures).toContain('NoSuchKey');
    const broken = await stacks.create('broken-layer', layerOf('broken.zip'));
    expect(broken.failures).toContain('Could not unzip');

    const { outputs } = await stacks.create('good-layer', layerOf('layer.zip'));
    expect(outputs.Layer).toMatch(/:layer:strict:1$/);
  });

  test("fails a layer or a function out of another account's bucket that does not admit it", async () => {
    const Bucket = 'strangers-bucket';
    const stranger = new S3Client(cloud.sdkConfig('222222222222', REGION));
    await stranger.send(new CreateBucketCommand({ Bucket }));
    const Body = zip({ bootstrap: { content: '#!/bin/sh\n', mode: 0o755 } });
    await stranger.send(new PutObjectCommand({ Bucket, Key: 'code.zip', Body }));
    const foreignLayer = layerOf('code.zip');
    foreignLayer.Layer.Properties.Content.S3Bucket = Bucket;
    const foreignCode = functionOf({ Code: { S3Bucket: Bucket, S3Key: 'code.zip' } });
    const denied = `GetObject for ${Bucket}/code.zip. S3 Error Code: AccessDenied`;
    expect((await stacks.create('foreign-layer', foreignLayer)).failures).toContain(denied);
    expect((await stacks.create('foreign-code', foreignCode)).failures).toContain(denied);

    const statement = {
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${Bucket}/*`,
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await stranger.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect((await stacks.create('admitted', foreignLayer)).status).toBe('CREATE_COMPLETE');
  });

  test('keeps a retained layer version when it leaves its stack or its creation is rolled back', async () => {
    const retained = layerOf('layer.zip', { DeletionPolicy: 'Retain' });
    retained.Layer.Properties.LayerName = 'retained';
    const other = {
      Parameter: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Name: '/kept', Type: 'String', Value: 'x' },
      },
    };
    const exists = (VersionNumber: number) =>
      lambda.send(new GetLayerVersionCommand({ LayerName: 'retained', VersionNumber }));

    expect((await stacks.create('retaining', { ...retained, ...other })).status).toBe(
      'CREATE_COMPLETE',
    );
    expect((await stacks.update('retaining', other)).status).toBe('UPDATE_COMPLETE');
    await expect(exists(1)).resolves.toMatchObject({ Version: 1 });

    const clash = { Clash: { ...other.Parameter, DependsOn: 'Layer' } };
    expect((await stacks.create('rolled-back', { ...retained, ...clash })).status).toBe(
      'ROLLBACK_COMPLETE',
    );
    await expect(exists(2)).resolves.toMatchObject({ Version: 2 });
  });

  test('fails a parameter whose name another stack has, and leaves its value', async () => {
    const parameter = (Value: string) => ({
      Parameter: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Name: '/taken', Type: 'String', Value },
      },
    });
    expect((await stacks.create('first-owner', parameter('first'))).status).toBe('CREATE_COMPLETE');
    expect((await stacks.create('second-owner', parameter('second'))).status).toBe(
      'ROLLBACK_COMPLETE',
    );
    const ssm = new SSMClient(cloud.sdkConfig(ACCOUNT, REGION));
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/taken' }));
    expect(Parameter?.Value).toBe('first');
  });

  test('fails a role whose name the account has, in another region, and leaves that role', async () => {
    const elsewhere = new Stacks(cloud, ACCOUNT, 'us-east-1');
    const second = await elsewhere.create('second-role', { Role: role });
    expect(second.status).toBe('ROLLBACK_COMPLETE');
    expect(second.failures).toContain("identifier 'function-role' already exists");
    expect((await stacks.create('its-function', functionOf({}))).status).toBe('CREATE_COMPLETE');
  });

  test('fails a function without its code, its role or a foreign layer that does not exist', async () => {
    const code = await stacks.create(
      'no-code',
      functionOf({ Code: { S3Bucket: BUCKET, S3Key: 'nowhere.zip' } }),
    );
    expect(code.failures).toContain('NoSuchKey');
    const noRole = await stacks.create(
      'no-role',
      functionOf({ Role: `arn:aws:iam::${ACCOUNT}:role/nobody` }),
    );
    expect(noRole.status).toBe('ROLLBACK_COMPLETE');
    const layer = await stacks.create(
      'no-layer',
      functionOf({ Layers: [`arn:aws:lambda:${REGION}:333333333333:layer:none:1`] }),
    );
    expect(layer.failures).toContain('not authorized to perform: lambda:GetLayerVersion');
    const Code = { S3Bucket: BUCKET, S3Key: 'nowhere.zip' };
    const Role = `arn:aws:iam::${ACCOUNT}:role/function-role`;
    const direct = new CreateFunctionCommand({
      FunctionName: 'direct',
      Code,
      Role,
      Runtime: 'provided.al2023',
      Handler: 'x',
    });
    await expect(lambda.send(direct)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
  });
});

test('stop leaves no process, and a later call does nothing', async () => {
  const { pid } = cloud;
  await cloud.stop();
  expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  await cloud.stop();
  await expect(LocalCloud.attach(cloud)).rejects.toMatchObject({
    code: 'EmulatorNotReachable',
    message: expect.stringContaining('rehearse -- --stop'),
  });
});

describe('when the process that started it is killed', () => {
  async function killedStarter(outliveStarter: boolean): Promise<number> {
    const script = `
      require('ts-node').register({ transpileOnly: true, swc: true, project: 'tsconfig.json' });
      const { LocalCloud } = require('./lib/rehearsal/cloud');
      LocalCloud.start(JSON.parse(process.argv[1])).then((cloud) => console.log(cloud.pid));
      setInterval(() => {}, 1000);
    `;
    const stateDir = mkdtempSync(join(folder, 'state-'));
    const options = { tools, stateDir, hooksUrl: 'http://127.0.0.1:1', outliveStarter };
    const starter = spawn(process.execPath, ['-e', script, JSON.stringify(options)], {
      cwd: join(__dirname, '..', '..', '..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(starter.stdout, 'data');
    const pid = Number(line);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(true);
    starter.kill('SIGKILL');
    await once(starter, 'close');
    return pid;
  }

  test('it ends too', async () => {
    const pid = await killedStarter(false);
    expect(await eventually(() => !existsSync(`/proc/${pid}/exe`))).toBe(true);
  }, 60_000);

  test('it goes on where it was asked to', async () => {
    const pid = await killedStarter(true);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(true);
    process.kill(-pid, 'SIGKILL');
  }, 60_000);
});
