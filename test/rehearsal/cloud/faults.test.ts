import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient, ListLayersCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import {
  countFaults,
  type FaultKind,
  keepState,
  LocalCloud,
  restoreState,
  setFaults,
} from '../../../lib/rehearsal/cloud';
import { ensureTools } from '../../../lib/rehearsal/tools';
import { role } from '../../publish/cloud';
import { ACCOUNT, FakeHooks, REGION, Stacks } from './fixture';

let folder: string;
let hooks: FakeHooks;
let cloud: LocalCloud;
/** Of a role session, tried once. */
let config: ReturnType<LocalCloud['sdkConfig']> & { maxAttempts: number };
const BUCKET = 'faults-test';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faults-test-'));
  hooks = await FakeHooks.start();
  cloud = await LocalCloud.start({
    tools: await ensureTools(),
    stateDir: folder,
    hooksUrl: hooks.url,
  });
  const statement = { Action: ['ssm:*', 's3:*', 'lambda:*', 'sts:*'], Resource: '*' };
  await new Stacks(cloud).create('role', { Role: role('worker', ACCOUNT, [statement]) });
  const root = cloud.sdkConfig(ACCOUNT, REGION);
  await new S3Client(root).send(new CreateBucketCommand({ Bucket: BUCKET }));
  const { Credentials } = await new STSClient(root).send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
      RoleSessionName: 'test',
    }),
  );
  config = {
    ...root,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId as string,
      secretAccessKey: Credentials?.SecretAccessKey as string,
      sessionToken: Credentials?.SessionToken as string,
    } as never,
    maxAttempts: 1,
  };
}, 300_000);

afterEach(() => setFaults(cloud, []));

afterAll(async () => {
  await cloud?.stop();
  await hooks?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = (Name = 'absent') => new SSMClient(config).send(new GetParameterCommand({ Name }));
const put = (Name: string, Value: string) =>
  new SSMClient(config).send(
    new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }),
  );

const requests = {
  'ssm:GetParameter': () => get(),
  'lambda:ListLayers': () => new LambdaClient(config).send(new ListLayersCommand({})),
  's3:PutObject': () =>
    new S3Client(config).send(new PutObjectCommand({ Bucket: BUCKET, Key: 'key', Body: 'body' })),
  'sts:AssumeRole': () =>
    new STSClient(config).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
        RoleSessionName: 'test',
      }),
    ),
};

const names: [keyof typeof requests, FaultKind, string, number][] = [
  ['ssm:GetParameter', 'denied', 'AccessDeniedException', 400],
  ['ssm:GetParameter', 'throttled', 'ThrottlingException', 400],
  ['ssm:GetParameter', 'error', 'InternalServerError', 500],
  ['lambda:ListLayers', 'denied', 'AccessDeniedException', 403],
  ['lambda:ListLayers', 'throttled', 'TooManyRequestsException', 429],
  ['lambda:ListLayers', 'error', 'ServiceException', 500],
  ['s3:PutObject', 'denied', 'AccessDenied', 403],
  ['s3:PutObject', 'throttled', 'SlowDown', 503],
  ['s3:PutObject', 'error', 'InternalError', 500],
  ['sts:AssumeRole', 'denied', 'AccessDenied', 403],
  ['sts:AssumeRole', 'throttled', 'Throttling', 400],
  ['sts:AssumeRole', 'error', 'InternalFailure', 500],
];

test.each(names)('fails %s with %s as %s', async (what, kind, name, httpStatusCode) => {
  await setFaults(cloud, [{ what, kind, times: 1 }]);
  await expect(requests[what]()).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  expect(await countFaults(cloud)).toEqual([1]);
});

test('lets pass what the rule skips, what is beyond its times, and what is elsewhere', async () => {
  const what = 'ssm:GetParameter';
  await setFaults(cloud, [
    { what, kind: 'error', account: '999999999999' },
    { what, kind: 'error', region: 'eu-west-2' },
    { what: 'ssm:PutParameter', kind: 'error' },
    { what, kind: 'throttled', account: ACCOUNT, region: REGION, skip: 1, times: 2 },
  ]);
  const outcomes: string[] = [];
  for (let count = 0; count < 4; count++) {
    outcomes.push(await get().then(String, (error: Error) => error.name));
  }
  expect(outcomes).toEqual([
    'ParameterNotFound',
    'ThrottlingException',
    'ThrottlingException',
    'ParameterNotFound',
  ]);
  expect(await countFaults(cloud)).toEqual([0, 0, 0, 2]);
});

test('answers nothing while it hangs, then fails; other rules release it', async () => {
  await setFaults(cloud, [{ what: 'ssm:GetParameter', kind: 'hang', seconds: 600 }]);
  let answered = false;
  const hanging = get().then(String, (error: Error) => {
    answered = true;
    return error.name;
  });
  while ((await countFaults(cloud))[0] === 0) await new Promise((next) => setTimeout(next, 20));
  // Others are served meanwhile.
  await put('other', 'value');
  expect(answered).toBe(false);
  await setFaults(cloud, []);
  expect(await hanging).toBe('InternalServerError');
});

test('never disturbs the root user of an account', async () => {
  await setFaults(cloud, [{ what: 'ssm:GetParameter', kind: 'denied' }]);
  const root = new SSMClient(cloud.sdkConfig(ACCOUNT, REGION));
  await expect(root.send(new GetParameterCommand({ Name: 'absent' }))).rejects.toBeInstanceOf(
    ParameterNotFound,
  );
  expect(await countFaults(cloud)).toEqual([0]);
});

describe('a resource of a stack', () => {
  const parameters = (value: string) =>
    Object.fromEntries(
      ['First', 'Second'].map((id) => [
        id,
        {
          Type: 'AWS::SSM::Parameter',
          Properties: { Name: `/stack/${id}`, Type: 'String', Value: value },
          ...(id === 'Second' && { DependsOn: 'First' }),
        },
      ]),
    );

  test.each<[FaultKind, string]>([
    ['denied', 'AccessDenied'],
    ['throttled', 'Throttling'],
    ['error', 'InternalFailure'],
  ])('fails with %s, and the stack goes back', async (kind, code) => {
    const stacks = new Stacks(cloud);
    await stacks.create(`stack-${kind}`, parameters('old'));
    await setFaults(cloud, [{ what: 'AWS::SSM::Parameter', kind, skip: 1, times: 1 }]);
    const { status, failures } = await stacks.update(`stack-${kind}`, parameters('new'));
    expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(failures).toContain(`(HandlerErrorCode: ${code})`);
    expect((await get('/stack/First')).Parameter?.Value).toBe('old');
    expect((await get('/stack/Second')).Parameter?.Value).toBe('old');
    await setFaults(cloud, []);
    await stacks.delete(`stack-${kind}`);
  });

  test('is made late where it hangs', async () => {
    await setFaults(cloud, [{ what: 'AWS::SSM::Parameter', kind: 'hang', seconds: 600 }]);
    const created = new Stacks(cloud).create('stack-slow', parameters('value'));
    while ((await countFaults(cloud))[0] === 0) await new Promise((next) => setTimeout(next, 20));
    await expect(get('/stack/First')).rejects.toBeInstanceOf(ParameterNotFound);
    await expect(keepState(cloud, 'moving')).rejects.toMatchObject({
      code: 'ControlRefused',
      message: expect.stringContaining('stacks are being deployed: stack-slow'),
    });
    await setFaults(cloud, []);
    expect((await created).status).toBe('CREATE_COMPLETE');
    expect((await get('/stack/First')).Parameter?.Value).toBe('value');
  });
});

test('brings a kept state back, more than once', async () => {
  await put('kept', 'old');
  await keepState(cloud, 'before');
  for (const value of ['new', 'newer']) {
    await put('kept', value);
    await put(value, value);
    await restoreState(cloud, 'before');
    expect((await get('kept')).Parameter).toMatchObject({ Value: 'old', Version: 1 });
    await expect(get(value)).rejects.toBeInstanceOf(ParameterNotFound);
  }
});

test('fails to bring back what was never kept', async () => {
  await expect(restoreState(cloud, 'nothing')).rejects.toMatchObject({
    code: 'ControlRefused',
    message: "the local cloud refuses restore: no state is kept as 'nothing'",
  });
});
