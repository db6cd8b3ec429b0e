import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteLayerVersionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bundleTools } from '../../lib/publish/bundle-tools';
import type { InvokeHook, InvokeHookAnswer } from '../../lib/rehearsal/hooks';
import type { ReleaseLayer, ReleasePlan, ReleaseTarget, SmokeCheck } from '../../lib/release';
import { role, TestCloud } from '../publish/cloud';
import { base64, HOME, layer, OTHER, plan } from '../publish/fixture';
import { zip } from '../rehearsal/cloud/fixture';

let cloud: TestCloud;
let release: ReleasePlan;
let home: ReleaseTarget;
let other: ReleaseTarget;
let tools: string;

jest.setTimeout(60_000);
beforeAll(async () => {
  cloud = await TestCloud.start();
  tools = join(cloud.dir, 'tools.cjs');
  const bytes = zip({ 'bin/deno': { content: '' } });
  release = plan(
    [
      [HOME, 'eu-west-1'],
      [OTHER, 'us-east-1'],
    ],
    [layer('deno', 'arm64', bytes), layer('deno', 'x86_64', bytes)],
  );
  [home, other] = release.targets;
  const code = zip({ 'mod.ts': { content: '' } });
  await Promise.all([
    bundleTools(tools),
    ...release.targets.map(async (target) => {
      const { account, region, bucket } = target;
      const s3 = new S3Client(cloud.cloud.sdkConfig(account, region));
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'layer', Body: bytes }));
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'code', Body: code }));
      await cloud.deploy(account, region, 'publish', publishStage(target));
    }),
  ]);
});
afterAll(() => cloud?.stop());

/** What the publish stage makes of a target: layers, functions and the role of the smoke action. */
function publishStage({ smokeRoleArn, layers, bucket }: ReleaseTarget) {
  const resources: Record<string, object> = {
    SmokeRole: role(smokeRoleArn.split('/')[1], HOME, [
      { Action: 'lambda:GetLayerVersion', Resource: layers.map(({ arn }) => arn) },
      {
        Action: ['lambda:GetFunctionConfiguration', 'lambda:InvokeFunction'],
        Resource: layers.map(({ arn, functionName }) => functionArn(arn, functionName)),
      },
    ]),
    ExampleRole: role('example', HOME, [{ Action: 'logs:PutLogEvents', Resource: '*' }]),
  };
  layers.forEach(({ name, arn, functionName }, i) => {
    const { architecture } = release.layers[i];
    resources[`Layer${i}`] = {
      Type: 'AWS::Lambda::LayerVersion',
      Properties: {
        LayerName: name,
        Content: { S3Bucket: bucket, S3Key: 'layer' },
        CompatibleArchitectures: [architecture],
      },
    };
    resources[`Function${i}`] = {
      Type: 'AWS::Lambda::Function',
      DependsOn: `Layer${i}`,
      Properties: {
        FunctionName: functionName,
        Runtime: 'provided.al2023',
        Architectures: [architecture],
        Handler: 'mod.handler',
        Role: { 'Fn::GetAtt': ['ExampleRole', 'Arn'] },
        Code: { S3Bucket: bucket, S3Key: 'code' },
        Layers: [arn],
      },
    };
  });
  return resources;
}

const functionArn = (layerArn: string, functionName: string) =>
  layerArn.replace(/:layer:.*$/, `:function:${functionName}`);

/** What the example function answers. */
function exampleAnswer(
  { functionArn: arn, event }: InvokeHook,
  change: object = {},
): InvokeHookAnswer {
  const { runtime, version, architecture } = release.layers.find(({ name }) =>
    arn.endsWith(name),
  ) as ReleaseLayer;
  const answer = { runtime, version, architecture, event: JSON.parse(event), ...change };
  return { payload: JSON.stringify(answer), log: '' };
}

/** Runs the bundled tool, as the smoke action does; the report is read from its last line. */
async function smoke(of: ReleasePlan = release, env: NodeJS.ProcessEnv = {}) {
  const planFile = join(cloud.dir, 'release.json');
  const report = join(cloud.dir, 'smoke.json');
  await writeFile(planFile, JSON.stringify(of));
  const args = [tools, 'smoke', '--plan', planFile, '--wave', 'first', '--report', report];
  const { status, stdout, stderr } = await cloud.node(HOME, args, env);
  const lastLine = stdout.trimEnd().split('\n').at(-1) ?? '';
  expect(lastLine).toMatch(/^smoke-report: \[/);
  const checks: SmokeCheck[] = JSON.parse(lastLine.slice('smoke-report: '.length));
  expect(JSON.parse(await readFile(report, 'utf8'))).toEqual(checks);
  return { status, stdout, stderr, checks };
}

beforeEach(() => {
  cloud.answer = (invocation) => exampleAnswer(invocation);
});

test('passes when every function answers through exactly its layer', async () => {
  const { status, stdout, checks } = await smoke();
  expect(checks.map(({ ok, ran, message }) => ({ ok, ran, message }))).toEqual(
    Array(4).fill({ ok: true, ran: true, message: '' }),
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(
    new RegExp(`^ok {7}${HOME}/eu-west-1  ${release.layers[0].name}  \\d+ ms$`, 'm'),
  );
});

test('fails when functions answer wrongly, with all problems in one list', async () => {
  cloud.answer = (invocation) =>
    exampleAnswer(invocation, invocation.architecture === 'arm64' ? { version: '2.9.4' } : {});
  const { status, stderr, checks } = await smoke();
  expect(status).toBe(1);
  expect(checks.filter(({ ok }) => !ok)).toHaveLength(2);
  expect(stderr).toContain('error [SmokeFailed]: 2 of 4 checks of wave "first" failed');
  for (const { account, region } of [home, other]) {
    expect(stderr).toMatch(
      new RegExp(
        `^  ${account}/${region} deno-.*answered "2.9.4" as "version", expected "2.9.5"$`,
        'm',
      ),
    );
  }
});

test('fails when the layer is not the release’s', async () => {
  const [arm64, x86] = release.layers;
  const layers = [{ ...arm64, codeSha256: base64('other bytes') }, x86];
  const { status, stderr } = await smoke({ ...release, layers });
  expect(status).toBe(1);
  expect(stderr).toContain(
    `${home.layers[0].arn} has CodeSha256 ${arm64.codeSha256}, the release says ${base64('other bytes')}`,
  );
  expect(stderr).toContain('2 of 4 checks');
});

const ACTIONS = ['GetLayerVersion', 'GetFunctionConfiguration', 'InvokeFunction'];
test.each(ACTIONS)('fails naming action and role without permission to %s', async (action) => {
  const allowed = ACTIONS.filter((name) => name !== action).map((name) => `lambda:${name}`);
  const roleName = `without-${action}`;
  await cloud.deploy(HOME, 'eu-west-1', roleName, {
    Role: role(roleName, HOME, [{ Action: allowed, Resource: '*' }]),
  });
  const smokeRoleArn = `arn:aws:iam::${HOME}:role/${roleName}`;
  const { status, stderr } = await smoke({ ...release, targets: [{ ...home, smokeRoleArn }] });
  expect(status).toBe(1);
  expect(stderr).toContain(`lambda:${action} is denied to ${smokeRoleArn} in eu-west-1: `);
  for (const name of allowed) expect(stderr).not.toContain(name);
});

test('reports as not run what the rehearsal cannot run, and only there', async () => {
  cloud.answer = (invocation) =>
    invocation.architecture === 'x86_64'
      ? exampleAnswer(invocation)
      : {
          payload: JSON.stringify({ errorType: 'Rehearsal.NotRun', errorMessage: 'no emulator' }),
          functionError: 'Unhandled',
          log: '',
        };
  const rehearsal = await smoke(release, { LAYERS_REHEARSAL: '1' });
  expect(rehearsal.status).toBe(0);
  expect(rehearsal.stdout).toMatch(/^not run {2}.*no emulator$/m);
  expect(rehearsal.checks.map(({ ok, ran }) => ({ ok, ran }))).toEqual([
    { ok: false, ran: false },
    { ok: true, ran: true },
    { ok: false, ran: false },
    { ok: true, ran: true },
  ]);
  const elsewhere = await smoke();
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.stderr).toContain('failed: Rehearsal.NotRun: no emulator');
});

test('fails with the cure when version 1 was deleted', async () => {
  const { account, region, layers } = other;
  const lambda = new LambdaClient(cloud.cloud.sdkConfig(account, region));
  await lambda.send(new DeleteLayerVersionCommand({ LayerName: layers[1].name, VersionNumber: 1 }));
  const { status, stderr } = await smoke();
  expect(status).toBe(1);
  expect(stderr).toContain(
    `layer version ${layers[1].arn} does not exist: version 1 was deleted or is not published yet; if it was deleted, raise "revision" in assets/runtimes/deno/runtime.json`,
  );
});
