import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { PublishedObject } from '../../lib/publish';
import { bundleTools } from '../../lib/publish/bundle-tools';
import { exampleObjectKey, layerObjectKey, type ReleasePlan } from '../../lib/release';
import { bootstrap, TestCloud } from './cloud';
import { base64, HOME, OTHER, plan, target, zipFolder } from './fixture';

const release = plan([
  [HOME, 'eu-west-1'],
  [HOME, 'us-east-1'],
  [OTHER, 'eu-west-1'],
  [OTHER, 'us-east-1'],
]);
const [arm64] = release.layers;
const [home, , , other] = release.targets;
const withoutBucket = target(OTHER, 'us-west-2', release.layers);
let cloud: TestCloud;
let zips: Awaited<ReturnType<typeof zipFolder>>;
let tools: string;

jest.setTimeout(60_000);
beforeAll(async () => {
  cloud = await TestCloud.start();
  zips = await zipFolder(release);
  tools = join(cloud.dir, 'tools.cjs');
  await Promise.all([
    bundleTools(tools),
    ...release.targets.map((place) =>
      cloud.deploy(place.account, place.region, 'bootstrap', bootstrap(place, HOME)),
    ),
    cloud.deploy(withoutBucket.account, withoutBucket.region, 'bootstrap', {
      PublishRole: bootstrap(withoutBucket, HOME).PublishRole,
    }),
  ]);
});
afterAll(async () => {
  await cloud?.stop();
  await zips?.remove();
});

/** Runs the bundled tool, as the publish action does. */
async function publish(of: ReleasePlan, env: NodeJS.ProcessEnv = {}) {
  const planFile = join(cloud.dir, 'release.json');
  const jsonFile = join(cloud.dir, 'published.json');
  await writeFile(planFile, JSON.stringify(of));
  await writeFile(jsonFile, '[]');
  const dirs = ['--layers', zips.dir, '--examples', zips.dir];
  const args = [tools, 'publish', '--plan', planFile, ...dirs, '--json', jsonFile];
  const ended = await cloud.node(HOME, args, env);
  const objects: PublishedObject[] = JSON.parse(await readFile(jsonFile, 'utf8'));
  return { ...ended, objects, statuses: objects.map(({ status }) => status).sort() };
}

const s3 = ({ account, region } = home) => new S3Client(cloud.cloud.sdkConfig(account, region));

async function stored(Bucket: string, Key: string): Promise<string> {
  const { Body, ChecksumSHA256 } = await s3().send(
    new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }),
  );
  const content = Buffer.from((await Body?.transformToByteArray()) ?? []);
  expect(ChecksumSHA256).toBe(base64(content));
  return content.toString();
}

test('publishes to two accounts in two regions, and the second time sends nothing', async () => {
  const first = await publish(release);
  expect(first).toMatchObject({ status: 0, statuses: Array(12).fill('published') });
  expect(first.stdout).toMatch(/^12 published, 0 replaced, 0 present, 0 failed, /m);
  expect(await stored(home.bucket, layerObjectKey(arm64.digest))).toBe('zip of deno-arm64');
  expect(await stored(home.bucket, exampleObjectKey(release.examples[0].digest))).toBe(
    'zip of deno',
  );

  const second = await publish(release);
  expect(second).toMatchObject({ status: 0, statuses: Array(12).fill('present') });
  expect(second.stdout).toMatch(/^0 published, 0 replaced, 12 present, 0 failed, 0.0 MB sent/m);
});

test('puts an object again that someone changed, and says so', async () => {
  await publish(release);
  const Key = layerObjectKey(arm64.digest);
  await s3().send(
    new PutObjectCommand({
      Bucket: home.bucket,
      Key,
      Body: 'tampered',
      ChecksumAlgorithm: 'SHA256',
    }),
  );
  const { status, statuses, stdout } = await publish(release);
  expect(status).toBe(0);
  expect(statuses).toEqual([...Array(11).fill('present'), 'replaced']);
  expect(stdout).toMatch(
    new RegExp(`^replaced.*${HOME}/eu-west-1.*had SHA-256 .* and 8 bytes$`, 'm'),
  );
  expect(await stored(home.bucket, Key)).toBe('zip of deno-arm64');
});

test('fails for a target without a bucket, and publishes to the others', async () => {
  await publish(release);
  const targets = [withoutBucket, ...release.targets];
  const { status, stderr, statuses } = await publish({ ...release, targets });
  expect(status).toBe(1);
  expect(statuses).toEqual([...Array(3).fill('failed'), ...Array(12).fill('present')]);
  expect(stderr).toContain(
    `error [PublishFailed]: 1 of 5 targets failed; put them right and run again, only what is missing is sent:
  ${OTHER}/us-west-2: bucket ${withoutBucket.bucket} does not exist; bootstrap the target: npx cdk bootstrap aws://${OTHER}/us-west-2 --trust ${HOME} `,
  );
});

test('fails for a target whose bucket the role may not write to, naming action and role', async () => {
  const bucket = home.bucket;
  const targets = [{ ...other, bucket }];
  const { status, stderr } = await publish({ ...release, targets });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`s3:(Get|Put)Object on bucket ${bucket} is denied to ${other.publishRoleArn}: `),
  );
});

test('fails for a target whose role does not trust the caller', async () => {
  const publishRoleArn = `arn:aws:iam::${OTHER}:role/none`;
  const targets = [{ ...other, publishRoleArn }, home];
  const { status, stderr, objects } = await publish({ ...release, targets });
  expect(status).toBe(1);
  expect(objects.filter(({ status }) => status === 'failed')).toHaveLength(3);
  expect(stderr).toContain(`${OTHER}/us-east-1: sts:AssumeRole on ${publishRoleArn} is denied`);
});

test('fails with one message without credentials', async () => {
  const { status, stderr, statuses } = await publish(release, {
    AWS_ACCESS_KEY_ID: '',
    AWS_SECRET_ACCESS_KEY: '',
  });
  expect({ status, statuses }).toEqual({ status: 1, statuses: [] });
  expect(stderr).toContain('error [NoCredentials]: no AWS credentials were found');
});

test('the bundle has the same bytes when it is made again', async () => {
  const again = join(cloud.dir, 'again.cjs');
  await bundleTools(again);
  expect((await readFile(again)).equals(await readFile(tools))).toBe(true);
});
