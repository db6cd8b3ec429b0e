import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AddLayerVersionPermissionCommand,
  CreateFunctionCommand,
  LambdaClient,
  ListLayersCommand,
  PublishLayerVersionCommand,
} from '@aws-sdk/client-lambda';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { rawConfig } from '../pipeline/fixture';
import { role, TestCloud } from '../publish/cloud';
import { HOME, OTHER } from '../publish/fixture';
import { zip } from '../rehearsal/cloud/fixture';

const CLI = join(__dirname, '../../bin/layers.js');
const REGION = 'eu-west-1';
const RECORDED = 'deno-2_7_7-arm64-aaaaaaaaaaaa';
const USED = 'deno-2_3_7-arm64-bbbbbbbbbbbb';
const SHARED = 'deno-2_2_3-arm64-cccccccccccc';
const OLD = 'deno-2_2_3-arm64-dddddddddddd';
const FOREIGN = 'tools';
const PRUNER = `arn:aws:iam::${OTHER}:role/pruner`;

let cloud: TestCloud;
let lambda: LambdaClient;
let project: string;

const arn = (layer: string, version = 1) =>
  `arn:aws:lambda:${REGION}:${OTHER}:layer:${layer}:${version}`;
const prune = (...args: string[]) =>
  cloud.node(HOME, [join(project, 'run.js'), 'prune', '--account-role', PRUNER, ...args]);

jest.setTimeout(60_000);
beforeAll(async () => {
  cloud = await TestCloud.start();
  project = join(cloud.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'cdk.json'), JSON.stringify({ context: { delivery: rawConfig() } }));
  // The program reads the configuration of the folder that it runs in.
  writeFileSync(
    join(project, 'run.js'),
    `process.chdir(__dirname); require(${JSON.stringify(CLI)});`,
  );
  lambda = new LambdaClient(cloud.cloud.sdkConfig(OTHER, REGION));
  const ZipFile = zip({ 'mod.ts': { content: '' } });
  for (const LayerName of [RECORDED, USED, SHARED, OLD, OLD, FOREIGN]) {
    await lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile } }));
  }
  await lambda.send(
    new AddLayerVersionPermissionCommand({
      LayerName: SHARED,
      VersionNumber: 1,
      StatementId: 'all',
      Action: 'lambda:GetLayerVersion',
      Principal: '*',
    }),
  );
  await new SSMClient(cloud.cloud.sdkConfig(OTHER, REGION)).send(
    new PutParameterCommand({
      Name: '/layers/deno/arm64/latest',
      Value: arn(RECORDED),
      Type: 'String',
    }),
  );
  await cloud.deploy(OTHER, REGION, 'consumer', { Role: role('consumer', OTHER, []) });
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'consumer',
      Runtime: 'provided.al2023',
      Handler: 'mod.handler',
      Role: `arn:aws:iam::${OTHER}:role/consumer`,
      Code: { ZipFile },
      Layers: [arn(USED)],
    }),
  );
  const layer = (name: string) => `arn:aws:lambda:*:${OTHER}:layer:${name}`;
  await cloud.deploy(OTHER, REGION, 'roles', {
    Pruner: role('pruner', HOME, [
      { Action: ['lambda:ListLayers', 'lambda:ListFunctions'], Resource: '*' },
      { Action: 'lambda:ListLayerVersions', Resource: [layer('deno-*'), layer('deno-*:*')] },
      {
        Action: ['lambda:GetLayerVersionPolicy', 'lambda:DeleteLayerVersion'],
        Resource: layer('deno-*:*'),
      },
      // The emulator knows no resource for it.
      { Action: 'ssm:GetParametersByPath', Resource: '*' },
    ]),
  });
});
afterAll(async () => {
  lambda?.destroy();
  await cloud?.stop();
});

async function layers(): Promise<string[]> {
  const { Layers = [] } = await lambda.send(new ListLayersCommand({}));
  return Layers.map(({ LayerName = '' }) => LayerName).sort();
}

test('says what it would delete, and deletes it when told to, through a role of the target', async () => {
  const before = await layers();
  const dry = await prune('--keep', '0');
  expect(dry).toMatchObject({ status: 0, stderr: '' });
  expect(dry.stdout).toContain(
    `kept         ${arn(RECORDED)}  recorded by /layers/deno/arm64/late`,
  );
  expect(dry.stdout).toContain(`kept         ${arn(USED)}  used by function consumer`);
  expect(dry.stdout).toContain(`kept         ${arn(SHARED)}  shared with others`);
  expect(dry.stdout).toContain(`would-delete ${arn(OLD)}  neither recorded nor used here`);
  expect(dry.stdout).toContain(`would-delete ${arn(OLD, 2)}  a stray copy of version 1`);
  expect(dry.stdout).toContain('2 of 5 layer versions would be deleted, and nothing was; --yes');
  expect(await layers()).toEqual(before);

  const real = await prune('--keep', '0', '--yes');
  expect(real).toMatchObject({ status: 0, stderr: '' });
  expect(real.stdout).toContain('2 of 5 layer versions deleted');
  expect(await layers()).toEqual(before.filter((name) => name !== OLD));
  expect(JSON.parse((await prune('--keep', '0', '--json')).stdout)).toHaveLength(3);
});

test('fails on a number that is none, and outside a project', async () => {
  expect(await prune('--keep', 'all')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('whole number'),
  });
  const elsewhere = `process.chdir(${JSON.stringify(cloud.dir)}); require(${JSON.stringify(CLI)});`;
  writeFileSync(join(project, 'elsewhere.js'), elsewhere);
  expect(await cloud.node(HOME, [join(project, 'elsewhere.js'), 'prune'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('error [UnreadableConfiguration]: cdk.json cannot be read'),
  });
});
