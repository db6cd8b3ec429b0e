import {
  DeleteLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  LambdaClient,
  ListFunctionsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { prune } from '../../lib/prune';
import { awsError } from '../publish/fixture';

const lambda = mockClient(LambdaClient);
const ssm = mockClient(SSMClient);

const name = (version: string, digit: string, arch = 'arm64') =>
  `deno-${version}-${arch}-${digit.repeat(12)}`;
const arn = (layer: string, version = 1) =>
  `arn:aws:lambda:eu-west-1:222222222222:layer:${layer}:${version}`;

const CONFIGURED = name('2_9_5', 'f');
const RECORDED = name('2_7_7', 'a');
const IN_A_RECORD = name('2_7_7', 'b');
const USED = name('2_3_7', 'c');
const USED_ONCE = name('2_3_7', 'd');
const OLD = name('2_2_3', '1');
const OLDER = name('2_2_3', '0');
const FOREIGN = ['deno-tools', 'my-deno-2_9_5-arm64', 'powertools-arm64'];

const DATES: Readonly<Record<string, string>> = {
  [CONFIGURED]: '2026-11-06T00:00:00.000+0000',
  [RECORDED]: '2026-11-05T00:00:00.000+0000',
  [IN_A_RECORD]: '2026-11-04T00:00:00.000+0000',
  [USED]: '2026-11-03T00:00:00.000+0000',
  [USED_ONCE]: '2026-11-02T00:00:00.000+0000',
  [OLD]: '2026-10-02T00:00:00.000+0000',
  [OLDER]: '2026-10-01T00:00:00.000+0000',
};

const OPTIONS = {
  region: 'eu-west-1',
  namespace: '/layers',
  runtimes: [{ name: 'deno', versions: ['2.9.5'], architectures: ['arm64' as const] }],
  keep: 0,
};

/** Everything comes in pages of one, as a full account answers. */
function pages<Item>(items: readonly Item[], marker: string | undefined) {
  const at = Number(marker ?? 0);
  return {
    items: items.slice(at, at + 1),
    next: at + 1 < items.length ? String(at + 1) : undefined,
  };
}

beforeEach(() => {
  lambda.reset();
  ssm.reset();
  const parameters = [
    { Name: '/layers/deno/arm64/latest', Value: arn(RECORDED) },
    { Name: '/layers/deno/arm64/2', Value: arn(RECORDED) },
    { Name: '/layers/deno/arm64/releases/b', Value: JSON.stringify({ arn: arn(IN_A_RECORD) }) },
  ];
  ssm.on(GetParametersByPathCommand).callsFake(({ NextToken }) => {
    const { items, next } = pages(parameters, NextToken);
    return { Parameters: items, NextToken: next };
  });
  const functions = [
    { FunctionName: 'plain', Version: '$LATEST' },
    { FunctionName: 'hello', Version: '$LATEST', Layers: [{ Arn: arn(USED) }] },
    { FunctionName: 'hello', Version: '7', Layers: [{ Arn: arn(USED_ONCE) }] },
  ];
  lambda.on(ListFunctionsCommand).callsFake(({ Marker, FunctionVersion }) => {
    const seen = FunctionVersion === 'ALL' ? functions : functions.slice(0, 2);
    const { items, next } = pages(seen, Marker);
    return { Functions: items, NextMarker: next };
  });
  lambda.on(ListLayersCommand).callsFake(({ Marker }) => {
    const { items, next } = pages([...FOREIGN, ...Object.keys(DATES)], Marker);
    return { Layers: items.map((LayerName) => ({ LayerName })), NextMarker: next };
  });
  lambda.on(ListLayerVersionsCommand).callsFake(({ LayerName, Marker }) => {
    const versions = LayerName === RECORDED || LayerName === OLD ? [2, 1] : [1];
    const { items, next } = pages(versions, Marker);
    return {
      LayerVersions: items.map((Version) => ({
        LayerVersionArn: arn(LayerName, Version),
        Version,
        CreatedDate: DATES[LayerName],
      })),
      NextMarker: next,
    };
  });
  lambda
    .on(GetLayerVersionPolicyCommand)
    .rejects(new ResourceNotFoundException({ message: 'no policy', $metadata: {} }));
  lambda.on(DeleteLayerVersionCommand).resolves({});
});

const deleted = () =>
  lambda
    .commandCalls(DeleteLayerVersionCommand)
    .map(({ args: [{ input }] }) => `${input.LayerName}:${input.VersionNumber}`)
    .sort();

async function outcome(options: Partial<Parameters<typeof prune>[0]> = {}) {
  const versions = await prune({ ...OPTIONS, ...options });
  return Object.fromEntries(
    versions.map(({ layer, version, result, reason }) => [`${layer}:${version}`, [result, reason]]),
  );
}

test('says of every layer version of ours what would become of it, and deletes nothing', async () => {
  expect(await outcome()).toEqual({
    [`${CONFIGURED}:1`]: ['kept', 'its runtime and version are configured'],
    [`${RECORDED}:1`]: ['kept', 'recorded by /layers/deno/arm64/latest and 1 more'],
    [`${RECORDED}:2`]: ['would-delete', 'a stray copy of version 1'],
    [`${IN_A_RECORD}:1`]: ['kept', 'recorded by /layers/deno/arm64/releases/b'],
    [`${USED}:1`]: ['kept', 'used by function hello'],
    [`${USED_ONCE}:1`]: ['kept', 'used by function hello:7'],
    [`${OLD}:1`]: ['would-delete', 'neither recorded nor used here'],
    [`${OLD}:2`]: ['would-delete', 'a stray copy of version 1'],
    [`${OLDER}:1`]: ['would-delete', 'neither recorded nor used here'],
  });
  expect(deleted()).toEqual([]);
});

test('deletes just that when it is told to', async () => {
  await outcome({ execute: true });
  expect(deleted()).toEqual([`${RECORDED}:2`, `${OLD}:1`, `${OLD}:2`, `${OLDER}:1`].sort());
});

test('keeps the newest of each runtime and architecture, strays not among them', async () => {
  await outcome({ execute: true, keep: 6 });
  expect(deleted()).toEqual([`${RECORDED}:2`, `${OLD}:2`, `${OLDER}:1`].sort());
});

test('keeps a stray that a function uses', async () => {
  lambda.on(ListFunctionsCommand).resolves({
    Functions: [{ FunctionName: 'odd', Version: '$LATEST', Layers: [{ Arn: arn(RECORDED, 2) }] }],
  });
  expect(await outcome()).toMatchObject({ [`${RECORDED}:2`]: ['kept', 'used by function odd'] });
});

test('keeps the latest copy of a configured layer that nothing records, as standalone stacks have', async () => {
  lambda.on(ListLayerVersionsCommand, { LayerName: CONFIGURED }).resolves({
    LayerVersions: [3, 2, 1].map((Version) => ({
      LayerVersionArn: arn(CONFIGURED, Version),
      Version,
      CreatedDate: DATES[CONFIGURED],
    })),
  });
  expect(await outcome()).toMatchObject({
    [`${CONFIGURED}:1`]: ['kept', 'its runtime and version are configured'],
    [`${CONFIGURED}:2`]: ['would-delete', 'a stray copy of version 1'],
    [`${CONFIGURED}:3`]: ['kept', 'its runtime and version are configured'],
  });
});

test('keeps what others were granted, unless it is told otherwise', async () => {
  lambda
    .on(GetLayerVersionPolicyCommand, { LayerName: OLD, VersionNumber: 1 })
    .resolves({ Policy: '{}' });
  expect(await outcome({ execute: true })).toMatchObject({
    [`${OLD}:1`]: ['kept', 'shared with others, whose functions cannot be seen'],
  });
  expect(deleted()).not.toContain(`${OLD}:1`);
  await outcome({ execute: true, includeShared: true });
  expect(deleted()).toContain(`${OLD}:1`);
});

test.each([
  [
    'parameters',
    () => ssm.on(GetParametersByPathCommand).rejects(awsError('AccessDeniedException')),
  ],
  ['functions', () => lambda.on(ListFunctionsCommand).rejects(awsError('AccessDeniedException'))],
  [
    'policies',
    () => lambda.on(GetLayerVersionPolicyCommand).rejects(awsError('AccessDeniedException')),
  ],
])('fails where %s cannot be read, and deletes nothing', async (_what, deny) => {
  deny();
  await expect(outcome({ execute: true })).rejects.toMatchObject({ code: 'AccessDenied' });
  expect(deleted()).toEqual([]);
});

test('goes on after a version that cannot be deleted, and says why', async () => {
  lambda
    .on(DeleteLayerVersionCommand, { LayerName: OLD, VersionNumber: 1 })
    .rejects(awsError('AccessDeniedException'));
  const versions = await outcome({ execute: true });
  expect(versions[`${OLD}:1`]).toEqual([
    'failed',
    expect.stringContaining('lambda:DeleteLayerVersion is denied to the credentials of the'),
  ]);
  expect(versions[`${OLDER}:1`][0]).toBe('deleted');
});
