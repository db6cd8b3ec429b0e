import {
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import type { ReleaseLayer } from '../../lib/release';
import { type SmokeOptions, smoke } from '../../lib/smoke';
import { awsError, HOME, OTHER, plan, SESSION } from '../publish/fixture';

const sts = mockClient(STSClient);
const lambda = mockClient(LambdaClient);
const release = plan([
  [HOME, 'eu-west-1'],
  [OTHER, 'us-east-1'],
  [OTHER, 'us-west-2', 'second'],
]);
const [target, other] = release.targets;
const [arm64, x86] = release.layers;
const [arm64Names] = target.layers;

const json = (value: unknown) => Buffer.from(JSON.stringify(value)) as never;
const layerIn = (text = '') =>
  release.layers.find(({ name }) => text.includes(name)) as ReleaseLayer;
const arnOf = (layer: ReleaseLayer, region: string) =>
  release.targets
    .find((place) => place.region === region)
    ?.layers.find(({ name }) => name === layer.name)?.arn;

/** What Lambda says when everything is right; `change` is laid over one of the answers. */
function lambdaAnswers(change: { version?: object; configuration?: object; answer?: object } = {}) {
  lambda.on(GetLayerVersionByArnCommand).callsFake(({ Arn }) => ({
    Content: { CodeSha256: layerIn(Arn).codeSha256 },
    CompatibleArchitectures: [layerIn(Arn).architecture],
    ...change.version,
  }));
  lambda.on(GetFunctionConfigurationCommand).callsFake(async ({ FunctionName }, client) => ({
    State: 'Active',
    Architectures: [layerIn(FunctionName).architecture],
    Layers: [{ Arn: arnOf(layerIn(FunctionName), await client().config.region()) }],
    ...change.configuration,
  }));
  lambda.on(InvokeCommand).callsFake(({ FunctionName, Payload }) => {
    const { runtime, version, architecture } = layerIn(FunctionName);
    const event = JSON.parse(Buffer.from(Payload).toString());
    return { Payload: json({ runtime, version, architecture, event, ...change.answer }) };
  });
}

const run = (options: Partial<SmokeOptions> = {}) =>
  smoke({
    plan: release,
    wave: 'first',
    retryTimes: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 2 },
    ...options,
  });
const messages = async (options: Partial<SmokeOptions> = {}) =>
  (await run(options)).failed.map(({ message }) => message);

beforeEach(() => {
  sts.reset();
  lambda.reset();
  sts.on(AssumeRoleCommand).resolves(SESSION);
  lambdaAnswers();
});

test('checks every layer in every target of the wave, and no other target', async () => {
  const { checks, failed } = await run();
  expect(failed).toEqual([]);
  expect(
    checks.map(({ account, region, layer, ok, ran }) => [account, region, layer, ok, ran]),
  ).toEqual(
    [target, other].flatMap(({ account, region }) =>
      [arm64, x86].map(({ name }) => [account, region, name, true, true]),
    ),
  );
});

test('sends a new nonce each time, to the function itself', async () => {
  await run();
  const inputs = lambda.commandCalls(InvokeCommand).map(({ args: [{ input }] }) => input);
  const nonces = inputs.map(({ Payload }) => JSON.parse(Buffer.from(Payload as Buffer).toString()));
  expect(new Set(nonces.map(({ smoke }) => smoke)).size).toBe(4);
  for (const input of inputs) {
    expect(input).toMatchObject({ InvocationType: 'RequestResponse' });
    expect(input).not.toHaveProperty('Qualifier');
  }
});

test('fails when the wave has no target', async () => {
  await expect(run({ wave: 'frist' })).rejects.toMatchObject({
    code: 'NoSuchWave',
    message: 'wave "frist" has no target in the plan; its waves are: first, second',
  });
});

test('checks one target alone where one is named', async () => {
  const { checks } = await run({ only: `${OTHER}/us-east-1` });
  expect(new Set(checks.map(({ account, region }) => `${account}/${region}`))).toEqual(
    new Set([`${OTHER}/us-east-1`]),
  );
});

test('fails when the named target is not in the wave', async () => {
  await expect(run({ only: `${OTHER}/us-west-1` })).rejects.toMatchObject({
    code: 'NoSuchTarget',
    message: expect.stringMatching(
      /^target ".*us-west-1" is not in wave "first"; its targets are: /,
    ),
  });
});

test.each([
  ['the layer has other bytes', { version: { Content: { CodeSha256: 'x' } } }, 'has CodeSha256 x'],
  [
    'the layer is for another architecture',
    { version: { CompatibleArchitectures: ['arm64', 'x86_64'] } },
    'is compatible with [arm64, x86_64]',
  ],
  [
    'the function attaches another version',
    { configuration: { Layers: [{ Arn: 'arn:other:2' }] } },
    'attaches [arn:other:2], it must attach exactly arn:aws:lambda:',
  ],
  ['the function attaches no layer', { configuration: { Layers: undefined } }, 'attaches []'],
  [
    'the function runs on another architecture',
    { configuration: { Architectures: ['s390x'] } },
    'runs on s390x',
  ],
  [
    'the function never leaves Pending',
    { configuration: { State: 'Pending', StateReason: 'being created' } },
    'is Pending: being created',
  ],
  [
    'the function’s last update failed',
    { configuration: { LastUpdateStatus: 'Failed', LastUpdateStatusReason: 'no role' } },
    'is Failed: no role',
  ],
  ['the runtime is another', { answer: { runtime: 'bun' } }, 'answered "bun" as "runtime"'],
  ['the version is another', { answer: { version: '2.9.4' } }, 'answered "2.9.4" as "version"'],
  ['it ran elsewhere', { answer: { architecture: 'x64' } }, 'answered "x64" as "architecture"'],
  ['the event is lost', { answer: { event: undefined } }, 'answered nothing as "event"'],
  [
    'the event has more than was sent',
    { answer: { event: { smoke: 'x', more: 1 } } },
    'answered {"smoke":"x","more":1} as "event"',
  ],
])('fails when %s', async (_, change, message) => {
  lambdaAnswers(change);
  const found = await messages();
  expect(found).toHaveLength(4);
  for (const text of found) {
    expect(text).toContain(message);
    // One problem is said once.
    expect(text).not.toContain('; function');
  }
});

test('fails with the cure when version 1 does not exist', async () => {
  lambda
    .on(GetLayerVersionByArnCommand, { Arn: arm64Names.arn })
    .rejects(
      awsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404),
    );
  expect(await messages()).toEqual([
    `layer version ${arm64Names.arn} does not exist: version 1 was deleted or is not published yet; if it was deleted, raise "revision" in assets/runtimes/deno/runtime.json, which gives the layer a new name`,
  ]);
});

test('fails with all problems of a layer, and goes on with the others', async () => {
  lambda
    .on(GetLayerVersionByArnCommand, { Arn: arm64Names.arn })
    .rejects(awsError('AccessDeniedException', 'not authorized to read', 403));
  lambda
    .on(InvokeCommand, { FunctionName: arm64Names.functionName })
    .rejects(awsError('AccessDeniedException', 'User: x is not authorized to invoke', 403));
  const { checks, failed } = await run({ plan: { ...release, targets: [target] } });
  expect(checks.map(({ ok }) => ok)).toEqual([false, true]);
  expect(failed[0].message).toContain(
    `lambda:GetLayerVersion is denied to ${target.smokeRoleArn} in eu-west-1: not authorized to read`,
  );
  expect(failed[0].message).toContain(
    `lambda:InvokeFunction is denied to ${target.smokeRoleArn} in eu-west-1: User: x is not authorized to invoke`,
  );
});

test('fails for every layer of a target whose role is refused, and checks the others', async () => {
  sts
    .on(AssumeRoleCommand, { RoleArn: other.smokeRoleArn })
    .rejects(awsError('AccessDenied', 'not authorized', 403));
  const { failed, checks } = await run();
  expect(checks).toHaveLength(4);
  expect(failed.map(({ region, layer }) => [region, layer])).toEqual([
    ['us-east-1', arm64.name],
    ['us-east-1', x86.name],
  ]);
  expect(failed[0].message).toContain(`sts:AssumeRole on ${other.smokeRoleArn} is denied`);
});

test.each([
  ['no JSON', 'plain', 'answered no JSON object: plain'],
  ['an array', '[]', 'answered no JSON object: []'],
  ['null', 'null', 'answered no JSON object: null'],
])('fails when the answer is %s', async (_, Payload, message) => {
  lambda.on(InvokeCommand).resolves({ Payload: Buffer.from(Payload) as never });
  expect((await messages())[0]).toContain(message);
});

test.each([
  [
    { errorType: 'Runtime.ExitError', errorMessage: 'exit status 1' },
    'Runtime.ExitError: exit status 1',
  ],
  // As Lambda says it of an environment that has answered before: without a type.
  [{ errorMessage: 'Task timed out after 30.00 seconds' }, 'Task timed out after 30.00 seconds'],
  [{ message: 'neither' }, '{"message":"neither"}'],
])('fails with the function’s own error %#', async (error, said) => {
  lambda.on(InvokeCommand).resolves({ FunctionError: 'Unhandled', Payload: json(error) });
  const { functionName } = arm64Names;
  expect((await messages())[0]).toBe(`function ${functionName} failed: ${said}`);
});

describe('retries', () => {
  const [wave] = [
    { plan: { ...release, layers: [arm64], targets: [{ ...target, layers: [arm64Names] }] } },
  ];

  test.each([
    'TooManyRequestsException',
    'ResourceConflictException',
    'CodeArtifactUserPendingException',
    'ResourceNotReadyException',
  ])('an invocation after %s', async (name) => {
    const once = lambda.on(InvokeCommand).rejectsOnce(awsError(name, 'later', 409));
    once.callsFake(({ Payload }) => {
      const { runtime, version, architecture } = arm64;
      const event = JSON.parse(Buffer.from(Payload).toString());
      return { Payload: json({ runtime, version, architecture, event }) };
    });
    expect((await run(wave)).failed).toEqual([]);
    expect(lambda.commandCalls(InvokeCommand)).toHaveLength(2);
  });

  test('fails after a bounded number of them', async () => {
    lambda.on(InvokeCommand).rejects(awsError('TooManyRequestsException', 'Rate exceeded', 429));
    expect((await messages(wave))[0]).toContain('still throttled in eu-west-1');
    expect(lambda.commandCalls(InvokeCommand)).toHaveLength(3);
  });

  test('no invocation after any other error', async () => {
    lambda.on(InvokeCommand).rejects(awsError('ServiceException', 'oops', 500));
    expect((await messages(wave))[0]).toContain('lambda:InvokeFunction failed in eu-west-1');
    expect(lambda.commandCalls(InvokeCommand)).toHaveLength(1);
  });

  test('a function that is still being created', async () => {
    const Layers = [{ Arn: arm64Names.arn }];
    lambda
      .on(GetFunctionConfigurationCommand)
      .resolvesOnce({ State: 'Pending' })
      .resolves({ State: 'Active', Architectures: ['arm64'], Layers });
    expect((await run(wave)).failed).toEqual([]);
  });
});

describe('an architecture that the rehearsal cannot run', () => {
  const Payload = json({ errorType: 'Rehearsal.NotRun', errorMessage: 'no emulator' });
  beforeEach(() => lambda.on(InvokeCommand).resolves({ FunctionError: 'Unhandled', Payload }));

  test('is reported as not run, neither as failed nor as passed', async () => {
    const { checks, failed } = await run({ rehearsal: true });
    expect(failed).toEqual([]);
    for (const check of checks) {
      expect(check).toMatchObject({ ok: false, ran: false, message: 'no emulator' });
    }
  });

  test('fails outside a rehearsal', async () => {
    const { failed } = await run();
    expect(failed).toHaveLength(4);
    expect(failed[0]).toMatchObject({ ok: false, ran: true });
  });

  test('fails when anything else is wrong with the layer', async () => {
    lambda
      .on(GetLayerVersionByArnCommand)
      .resolves({ Content: { CodeSha256: 'x' }, CompatibleArchitectures: ['arm64'] });
    const { failed } = await run({ rehearsal: true });
    expect(failed).toHaveLength(4);
    expect(failed[0].message).toMatch(/has CodeSha256 x.*no emulator/);
  });
});
