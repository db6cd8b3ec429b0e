import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetParameterCommand,
  GetParametersByPathCommand,
  ParameterNotFound,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { listLayers, lookupArn } from '../../lib/lookup';
import { parseRegion } from '../../lib/lookup/names';
import { awsError, SESSION } from '../publish/fixture';
import { temporaryFolder } from '../temporary-folder';

const ssm = mockClient(SSMClient);
const sts = mockClient(STSClient);
const region = 'eu-west-1';
const arn = `arn:aws:lambda:${region}:111111111111:layer:deno-2_9_5-arm64-3f2a9c1b7d04:1`;
const named = (...names: string[]) => names.map((Name) => ({ Name, Value: arn }));
const notFound = new ParameterNotFound({ message: 'no', $metadata: {} });

beforeEach(() => {
  ssm.reset();
  sts.reset();
  ssm.on(GetParameterCommand).rejects(notFound);
  ssm.on(GetParametersByPathCommand).resolves({ Parameters: [] });
});

test('finds the ARN of the latest arm64 layer by default', async () => {
  const parameter = '/layers/deno/arm64/latest';
  ssm.on(GetParameterCommand, { Name: parameter }).resolves({ Parameter: { Value: arn } });
  expect(await lookupArn({ runtime: 'deno', region })).toEqual({
    runtime: 'deno',
    architecture: 'arm64',
    version: '2.9.5',
    arn,
    parameter,
    region,
  });
});

test('asks for the version, architecture and namespace that are named', async () => {
  const Name = '/mine/layers/deno/x86_64/2';
  const Value = 'arn:aws:lambda:eu-west-1:111111111111:layer:of-no-known-form:3';
  ssm.on(GetParameterCommand, { Name }).resolves({ Parameter: { Value } });
  const architecture = 'x86_64';
  const namespace = '/mine/layers/';
  const result = await lookupArn({
    runtime: 'deno',
    architecture,
    version: '2',
    namespace,
    region,
  });
  expect(result).toMatchObject({ arn: Value, parameter: Name, version: '2' });
});

test.each(['see the wiki', arn.slice(0, -2)])(
  'fails where somebody has written what no function can attach: %s',
  async (Value) => {
    ssm.on(GetParameterCommand).resolves({ Parameter: { Value } });
    await expect(lookupArn({ runtime: 'deno', region })).rejects.toMatchObject({
      code: 'InvalidParameter',
      message: `parameter /layers/deno/arm64/latest in eu-west-1 is "${Value}", which is not the ARN of a layer version; ask whoever changed it to put it right`,
    });
  },
);

test.each(['us-gov-west-1', 'cn-northwest-1'])('answers the ARN that %s records', async (place) => {
  const partition = place.startsWith('cn') ? 'aws-cn' : 'aws-us-gov';
  const Value = `arn:${partition}:lambda:${place}:222222222222:layer:deno-2_9_5-arm64-3f2a9c1b7d04:1`;
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value } });
  const roleArn = `arn:${partition}:iam::222222222222:role/reader`;
  expect(await lookupArn({ runtime: 'deno', region: place, roleArn })).toMatchObject({
    arn: Value,
    version: '2.9.5',
    region: place,
  });
});

test('takes the region from AWS_REGION, then from AWS_DEFAULT_REGION', async () => {
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: arn } });
  const before = { ...process.env };
  try {
    process.env.AWS_DEFAULT_REGION = 'us-east-2';
    delete process.env.AWS_REGION;
    expect(await lookupArn({ runtime: 'deno' })).toMatchObject({ region: 'us-east-2' });
    process.env.AWS_REGION = '';
    expect(await lookupArn({ runtime: 'deno' })).toMatchObject({ region: 'us-east-2' });
    process.env.AWS_REGION = 'us-west-1';
    expect(await lookupArn({ runtime: 'deno' })).toMatchObject({ region: 'us-west-1' });
    delete process.env.AWS_REGION;
    delete process.env.AWS_DEFAULT_REGION;
    Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null' });
    await expect(lookupArn({ runtime: 'deno' })).rejects.toMatchObject({ code: 'NoRegion' });
  } finally {
    process.env = before;
  }
});

test('takes the region from the profile where AWS_REGION is empty', async () => {
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: arn } });
  const before = { ...process.env };
  try {
    const AWS_CONFIG_FILE = join(temporaryFolder(), 'config');
    writeFileSync(AWS_CONFIG_FILE, '[default]\nregion = eu-west-3\n');
    const empty = { AWS_REGION: '', AWS_DEFAULT_REGION: '', AWS_PROFILE: 'default' };
    Object.assign(process.env, empty, { AWS_CONFIG_FILE });
    expect(await lookupArn({ runtime: 'deno' })).toMatchObject({ region: 'eu-west-3' });
  } finally {
    process.env = before;
  }
});

test('looks through a role of another account', async () => {
  sts.on(AssumeRoleCommand).resolves(SESSION);
  let token: string | undefined;
  ssm.on(GetParameterCommand).callsFake(async (_, client) => {
    token = (await client().config.credentials()).sessionToken;
    return { Parameter: { Value: arn } };
  });
  const roleArn = 'arn:aws:iam::222222222222:role/reader';
  await lookupArn({ runtime: 'deno', region, roleArn });
  expect(token).toBe('token');
  expect(sts.commandCalls(AssumeRoleCommand)[0].args[0].input).toEqual({
    RoleArn: roleArn,
    RoleSessionName: 'layers-lookup',
  });
});

test.each([
  ['aarch64', 'use --arch arm64'],
  ['amd64', 'use --arch x86_64'],
  ['x64', 'use --arch x86_64'],
  ['X64', 'use --arch x86_64'],
  ['mips', 'use --arch arm64 or --arch x86_64'],
])('fails with the right word for architecture %s', async (architecture, cure) => {
  await expect(lookupArn({ runtime: 'deno', architecture, region })).rejects.toMatchObject({
    code: 'UnknownArchitecture',
    message: expect.stringContaining(cure),
  });
  expect(ssm.calls()).toHaveLength(0);
});

test.each([
  ['InvalidRegion', { region: 'Ireland' }],
  ['InvalidRoleArn', { roleArn: '123456789012/reader' }],
  ['InvalidNamespace', { namespace: 'layers' }],
  ['InvalidName', { runtime: 'deno/arm64' }],
  ['InvalidName', { version: '>=2' }],
])('fails with %s before asking AWS', async (code, props) => {
  await expect(lookupArn({ runtime: 'deno', region, ...props })).rejects.toMatchObject({ code });
  expect(ssm.calls()).toHaveLength(0);
});

test.each(['eu-west-1', 'us-gov-east-1', 'cn-north-1', 'eusc-de-east-1'])(
  'takes %s for a region, whatever its partition',
  (name) => expect(parseRegion(name)).toBe(name),
);

test('fails with the runtimes that exist when the runtime is unknown', async () => {
  ssm
    .on(GetParametersByPathCommand, { Path: '/layers', Recursive: true })
    .resolves({
      Parameters: named('/layers/node/arm64/latest', '/layers/node/arm64/releases/1', '/layers/x'),
      NextToken: 'more',
    })
    .on(GetParametersByPathCommand, { Path: '/layers', Recursive: true, NextToken: 'more' })
    .resolves({ Parameters: named('/layers/deno/x86_64/latest') });
  await expect(lookupArn({ runtime: 'bun', region })).rejects.toMatchObject({
    code: 'UnknownRuntime',
    message: 'runtime "bun" for arm64 is not in eu-west-1; there are: deno (x86_64), node (arm64)',
  });
});

test('fails with the versions that exist when the version is unknown', async () => {
  ssm
    .on(GetParametersByPathCommand, { Path: '/layers/node/arm64', Recursive: false })
    .resolves({ Parameters: named('/layers/node/arm64/latest', '/layers/node/arm64/24') });
  await expect(lookupArn({ runtime: 'node', version: '22', region })).rejects.toMatchObject({
    code: 'UnknownVersion',
    message: 'version "22" of node for arm64 is not in eu-west-1; there are: 24, latest',
  });
});

test('fails with what is known when listing is denied', async () => {
  ssm.on(GetParametersByPathCommand).rejects(awsError('AccessDeniedException', 'not you', 400));
  await expect(lookupArn({ runtime: 'bun', region })).rejects.toMatchObject({
    code: 'UnknownRuntime',
    message: expect.stringMatching(
      /^parameter \/layers\/bun\/arm64\/latest is not in eu-west-1.*ssm:GetParametersByPath is denied/,
    ),
  });
});

test('fails when listing fails for another reason', async () => {
  ssm.on(GetParametersByPathCommand).rejects(awsError('ThrottlingException', 'Rate exceeded'));
  await expect(lookupArn({ runtime: 'bun', region })).rejects.toMatchObject({ code: 'Throttled' });
});

test('lists layers newest first, latest before its versions, without the release records', async () => {
  ssm.on(GetParametersByPathCommand, { Path: '/layers', Recursive: true }).resolves({
    Parameters: named(
      '/layers/node/x86_64/24',
      '/layers/deno/arm64/2.9.5',
      '/layers/deno/arm64/releases/abc',
      '/layers/deno/arm64/2.10.0',
      '/layers/deno/arm64/latest',
      '/layers/other',
    ),
  });
  const layers = await listLayers({ region });
  expect(layers.map(({ parameter }) => parameter)).toEqual([
    '/layers/deno/arm64/latest',
    '/layers/deno/arm64/2.10.0',
    '/layers/deno/arm64/2.9.5',
    '/layers/node/x86_64/24',
  ]);
});
