import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { type LookupArnProps, lookupArn } from '../../lib/lookup';
import { role, TestCloud } from '../publish/cloud';
import { HOME, OTHER } from '../publish/fixture';

const CLI = join(__dirname, '../../bin/layers.js');
const READER = `arn:aws:iam::${OTHER}:role/reader`;
const NARROW = `arn:aws:iam::${OTHER}:role/narrow`;
const BLIND = `arn:aws:iam::${OTHER}:role/blind`;
let cloud: TestCloud;

const arn = (account: string, arch = 'arm64') =>
  `arn:aws:lambda:eu-west-1:${account}:layer:deno-2_9_5-${arch}-3f2a9c1b7d04:1`;
const layers = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  cloud.node(HOME, [CLI, ...args], env);

jest.setTimeout(60_000);
beforeAll(async () => {
  cloud = await TestCloud.start();
  const allow = (...Action: string[]) => [{ Action, Resource: '*' }];
  await cloud.deploy(OTHER, 'eu-west-1', 'roles', {
    Reader: role('reader', HOME, allow('ssm:GetParameter', 'ssm:GetParametersByPath')),
    Narrow: role('narrow', HOME, allow('ssm:GetParameter')),
    Blind: role('blind', HOME, allow('ssm:DescribeParameters')),
  });
  for (const account of [HOME, OTHER]) {
    const ssm = new SSMClient(cloud.cloud.sdkConfig(account, 'eu-west-1'));
    for (const name of ['arm64/latest', 'arm64/2', 'arm64/2.9.5', 'x86_64/latest']) {
      const Value = arn(account, name.split('/')[0]);
      await ssm.send(
        new PutParameterCommand({ Name: `/layers/deno/${name}`, Value, Type: 'String' }),
      );
    }
    await ssm.send(
      new PutParameterCommand({
        Name: '/layers/deno/arm64/releases/x',
        Value: '{}',
        Type: 'String',
      }),
    );
  }
});
afterAll(() => cloud?.stop());

test('prints the ARN and nothing else', async () => {
  expect(await layers(['arn', 'deno'])).toMatchObject({ status: 0, stdout: `${arn(HOME)}\n` });
});

test('prints JSON, through a role of another account', async () => {
  const args = ['--arch', 'x86_64', '--account-role', READER, '--json'];
  const { status, stdout } = await layers(['arn', 'deno', ...args]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    runtime: 'deno',
    architecture: 'x86_64',
    version: '2.9.5',
    arn: arn(OTHER, 'x86_64'),
    parameter: '/layers/deno/x86_64/latest',
    region: 'eu-west-1',
  });
});

test('lists the layers of a region', async () => {
  const table = await layers(['list']);
  expect(table.status).toBe(0);
  const rows = table.stdout.split('\n').filter((line) => line.includes('deno'));
  expect(rows).toHaveLength(4);
  expect(rows[0]).toMatch(new RegExp(`deno.*arm64.*latest.*${arn(HOME)}`));

  const json = await layers(['list', '--json', '--region', 'us-east-1']);
  expect(JSON.parse(json.stdout)).toEqual([]);
});

// Errors of the network are told apart in a process of its own: jest gives its tests another Error
// class than Node's own modules, which the SDK then does not recognize.
test.each<[string, string[], NodeJS.ProcessEnv, string]>([
  [
    'an architecture in other words',
    ['--arch', 'aarch64'],
    {},
    'error [UnknownArchitecture]: architecture "aarch64" is spelled arm64 by Lambda; use --arch arm64',
  ],
  [
    'a region that does not exist',
    ['--region', 'eu-wst-1'],
    { AWS_ENDPOINT_URL: 'https://ssm.eu-wst-1.invalid' },
    'error [NoSuchEndpoint]: no host "ssm.eu-wst-1.invalid" for region "eu-wst-1"',
  ],
  [
    'an endpoint that does not answer',
    [],
    { AWS_ENDPOINT_URL: 'https://localhost:9' },
    'error [EndpointUnreachable]: the endpoint for ssm:GetParameter in eu-west-1 does not answer',
  ],
  [
    'a certificate that is not trusted',
    [],
    { AWS_CA_BUNDLE: '', NODE_EXTRA_CA_CERTS: '' },
    'error [CertificateNotTrusted]: the certificate of the endpoint for eu-west-1 is not trusted',
  ],
])('fails with exit code 1 and one message for %s', async (_, args, env, message) => {
  const { status, stdout, stderr } = await layers(['arn', 'deno', ...args], env);
  expect(stderr).toContain(message);
  expect(stderr.match(/^error \[/gm)).toHaveLength(1);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
});

describe('in this process', () => {
  const before = process.env;
  beforeEach(() => {
    // NODE_EXTRA_CA_CERTS is read when Node starts: here AWS_CA_BUNDLE alone makes the trust.
    process.env = { ...before, ...cloud.cloud.environment(HOME, 'eu-west-1') };
  });
  afterEach(() => {
    process.env = before;
  });

  test.each<[string, Partial<LookupArnProps>, NodeJS.ProcessEnv, string, string]>([
    [
      'an unknown runtime, with those that exist',
      { runtime: 'bun' },
      {},
      'UnknownRuntime',
      'runtime "bun" for arm64 is not in eu-west-1; there are: deno (arm64), deno (x86_64)',
    ],
    [
      'an unknown version, with those that exist',
      { version: '1' },
      {},
      'UnknownVersion',
      'version "1" of deno for arm64 is not in eu-west-1; there are: 2, 2.9.5, latest',
    ],
    [
      'an unknown runtime, where listing is denied',
      { runtime: 'bun', roleArn: NARROW },
      {},
      'UnknownRuntime',
      `could not be listed: ssm:GetParametersByPath is denied to ${NARROW} in eu-west-1: `,
    ],
    [
      'denied access, naming action and role',
      { roleArn: BLIND },
      {},
      'AccessDenied',
      `ssm:GetParameter is denied to ${BLIND} in eu-west-1: `,
    ],
    [
      'a role that cannot be assumed',
      { roleArn: `arn:aws:iam::${OTHER}:role/none` },
      {},
      'RoleNotAssumable',
      `sts:AssumeRole on arn:aws:iam::${OTHER}:role/none is denied: `,
    ],
    [
      'no credentials',
      {},
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      'NoCredentials',
      'no AWS credentials were found',
    ],
    [
      'certificates that cannot be read',
      {},
      { AWS_CA_BUNDLE: '/nowhere.pem' },
      'CertificatesUnreadable',
      'certificates "/nowhere.pem" cannot be read (ENOENT)',
    ],
  ])('fails for %s', async (_, props, env, code, message) => {
    Object.assign(process.env, env);
    await expect(lookupArn({ runtime: 'deno', ...props })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
