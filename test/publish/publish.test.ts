import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { publish, publishError } from '../../lib/publish';
import { exampleObjectKey, layerObjectKey, type ReleasePlan } from '../../lib/release';
import { awsError, base64, HOME, OTHER, plan, SESSION, zipFolder } from './fixture';

const sts = mockClient(STSClient);
const s3 = mockClient(S3Client);
const release = plan([
  [HOME, 'eu-west-1'],
  [OTHER, 'us-east-1'],
]);
const [first, second] = release.targets;
const [arm64, x86] = release.layers;
const exampleZip = `${release.examples[0].digest}.zip`;
let zips: Awaited<ReturnType<typeof zipFolder>>;

beforeEach(async () => {
  zips = await zipFolder(release);
  sts.reset();
  s3.reset();
  sts.on(GetCallerIdentityCommand).resolves({ Account: HOME });
  sts.on(AssumeRoleCommand).resolves(SESSION);
  s3.on(HeadObjectCommand).rejects(awsError('NotFound', 'NotFound', 404));
  s3.on(PutObjectCommand).resolves({});
});
afterEach(() => zips.remove());

const run = (of: ReleasePlan = release) =>
  publish({ plan: of, layerDirs: ['/nowhere', zips.dir], exampleDirs: [zips.dir] });
const statuses = (objects: Awaited<ReturnType<typeof run>>) =>
  objects.map(({ account, zip, status }) => `${account} ${zip} ${status}`).sort();
const puts = () => s3.commandCalls(PutObjectCommand).map(({ args: [{ input }] }) => input);

test('puts every zip into every target, verified by S3 and only into the owner', async () => {
  const objects = await run();
  expect(objects.map(({ status }) => status)).toEqual(Array(6).fill('published'));
  expect(
    puts()
      .map(({ Bucket, Key }) => `${Bucket} ${Key}`)
      .sort(),
  ).toEqual(
    [first, second]
      .flatMap(({ bucket }) => [
        `${bucket} ${layerObjectKey(arm64.digest)}`,
        `${bucket} ${layerObjectKey(x86.digest)}`,
        `${bucket} ${exampleObjectKey(release.examples[0].digest)}`,
      ])
      .sort(),
  );
  for (const put of puts()) {
    expect(base64(put.Body as Buffer)).toBe(put.ChecksumSHA256);
    expect(put.Bucket).toContain(put.ExpectedBucketOwner as string);
  }
});

test('assumes each publishing role once', async () => {
  await run();
  const calls = sts.commandCalls(AssumeRoleCommand).map(({ args: [{ input }] }) => input);
  expect(calls).toEqual(
    [first, second].map(({ publishRoleArn }) => ({
      RoleArn: publishRoleArn,
      RoleSessionName: 'layers-publish',
    })),
  );
});

test('sends nothing where an object with the right checksum is', async () => {
  for (const { digest, codeSha256 } of release.layers) {
    s3.on(HeadObjectCommand, { Key: layerObjectKey(digest), ChecksumMode: 'ENABLED' }).resolves({
      ChecksumSHA256: codeSha256,
    });
  }
  const objects = await run();
  expect(statuses(objects)).toEqual(
    [
      `${HOME} ${arm64.name}.zip present`,
      `${HOME} ${x86.name}.zip present`,
      `${HOME} ${exampleZip} published`,
      `${OTHER} ${arm64.name}.zip present`,
      `${OTHER} ${x86.name}.zip present`,
      `${OTHER} ${exampleZip} published`,
    ].sort(),
  );
  expect(puts()).toHaveLength(2);
});

test.each([
  ['a wrong checksum', { ChecksumSHA256: base64('other'), ContentLength: 5 }, 'had SHA-256'],
  ['no checksum', { ContentLength: 5 }, 'had no SHA-256 checksum and 5 bytes'],
  ['a checksum of parts', { ChecksumSHA256: `${base64('x')}-2`, ContentLength: 5 }, 'had SHA-256'],
])('puts an object with %s again and says so', async (_, head, message) => {
  s3.on(HeadObjectCommand, { Bucket: first.bucket, Key: layerObjectKey(arm64.digest) }).resolves(
    head,
  );
  const replaced = (await run()).filter(({ status }) => status === 'replaced');
  expect(replaced).toMatchObject([{ account: HOME, zip: `${arm64.name}.zip` }]);
  expect(replaced[0].message).toContain(message);
  expect(puts()).toHaveLength(6);
});

test('needs no local zip where every bucket has the object', async () => {
  await unlink(join(zips.dir, `${arm64.name}.zip`));
  s3.on(HeadObjectCommand, { Key: layerObjectKey(arm64.digest) }).resolves({
    ChecksumSHA256: arm64.codeSha256,
  });
  const objects = await run();
  expect(publishError(objects)).toBeUndefined();
  expect(puts()).toHaveLength(4);
});

test('fails before sending anything when a zip is missing here and in one target', async () => {
  await unlink(join(zips.dir, `${arm64.name}.zip`));
  s3.on(HeadObjectCommand, {
    Bucket: first.bucket,
    Key: layerObjectKey(arm64.digest),
  }).resolves({ ChecksumSHA256: arm64.codeSha256 });
  await expect(run()).rejects.toMatchObject({
    code: 'ZipMissing',
    message: expect.stringMatching(
      new RegExp(`${arm64.name}.zip: not in /nowhere, .*bucket of ${OTHER}/us-east-1$`),
    ),
  });
  expect(puts()).toHaveLength(0);
});

test('fails the same way where what should be a folder is a file', async () => {
  const file = join(zips.dir, 'layers');
  await writeFile(file, '');
  await expect(
    publish({ plan: release, layerDirs: [file], exampleDirs: [zips.dir] }),
  ).rejects.toMatchObject({
    code: 'ZipMissing',
    message: expect.stringContaining(`not in ${file}`),
  });
});

test('fails before asking AWS anything when zips differ, naming all of them', async () => {
  const wrong = [`${x86.name}.zip`, exampleZip].map((name) => join(zips.dir, name));
  for (const file of wrong) await writeFile(file, Buffer.concat([await readFile(file), zero()]));
  const error = await run().catch((thrown) => thrown);
  expect(error.code).toBe('ZipDiffers');
  for (const file of wrong) expect(error.message).toContain(file);
  expect(error.message).not.toContain(`${arm64.name}.zip`);
  expect(sts.calls()).toHaveLength(0);
  expect(s3.calls()).toHaveLength(0);
});

test('fails with the bootstrap command when the role cannot be assumed, and goes on', async () => {
  sts
    .on(AssumeRoleCommand, { RoleArn: second.publishRoleArn })
    .rejects(awsError('AccessDenied', 'User x is not authorized to perform: sts:AssumeRole', 403));
  const objects = await run();
  expect(puts().map(({ Bucket }) => Bucket)).toEqual(Array(3).fill(first.bucket));
  const error = publishError(objects);
  expect(error?.code).toBe('PublishFailed');
  expect(error?.message).toContain('1 of 2 targets failed');
  expect(error?.message).toContain(
    `${OTHER}/us-east-1: sts:AssumeRole on ${second.publishRoleArn} is denied: User x is not authorized`,
  );
  expect(error?.message).toContain(
    `npx cdk bootstrap aws://${OTHER}/us-east-1 --trust ${HOME} --cloudformation-execution-policies`,
  );
  expect(error?.message.split('\n')).toHaveLength(2);
});

test('fails with every target in one error', async () => {
  s3.on(PutObjectCommand, { Bucket: first.bucket }).rejects(awsError('NoSuchBucket', 'gone', 404));
  s3.on(PutObjectCommand, { Bucket: second.bucket }).rejects(
    awsError('AccessDenied', 'Access Denied', 403),
  );
  const objects = await run();
  const message = publishError(objects)?.message ?? '';
  expect(message).toContain('2 of 2 targets failed');
  expect(message).toContain(`${HOME}/eu-west-1: bucket ${first.bucket} does not exist; bootstrap`);
  expect(message).toContain(
    `${OTHER}/us-east-1: s3:PutObject on bucket ${second.bucket} is denied to ${second.publishRoleArn}: Access Denied; the bucket must belong to account ${OTHER}`,
  );
});

test('fails with the status where S3 gives no reason, as for a HEAD request', async () => {
  s3.on(HeadObjectCommand).rejects(awsError('Unknown', 'UnknownError', 403));
  const message = publishError(await run())?.message;
  expect(message).toContain(
    `s3:GetObject on bucket ${first.bucket} is denied to ${first.publishRoleArn}: HTTP status 403, no reason given; the bucket must belong to account ${HOME}`,
  );
});

test('fails with the qualifier in the bootstrap command when it is not the default one', async () => {
  s3.on(PutObjectCommand).rejects(awsError('NoSuchBucket', 'gone', 404));
  const targets = [{ ...first, bucket: `cdk-mine-assets-${HOME}-eu-west-1` }];
  const message = publishError(await run({ ...release, targets }))?.message;
  expect(message).toContain(`aws://${HOME}/eu-west-1 --qualifier mine --toolkit-stack-name `);
});

test('fails naming the file when it changes while it is sent', async () => {
  s3.on(PutObjectCommand, { Key: layerObjectKey(x86.digest) }).rejects(
    awsError('BadDigest', 'The SHA256 you specified did not match'),
  );
  const failed = (await run()).filter(({ status }) => status === 'failed');
  expect(failed).toHaveLength(2);
  expect(failed[0].message).toContain(`${join(zips.dir, x86.name)}.zip changed while`);
});

test('fails at once, with one message, without credentials', async () => {
  sts.on(GetCallerIdentityCommand).rejects(awsError('ExpiredToken', 'The token has expired', 403));
  await expect(run()).rejects.toMatchObject({ code: 'ExpiredCredentials' });
  expect(s3.calls()).toHaveLength(0);
});

test('a defect is thrown as it is, not taken for a failed target', async () => {
  s3.on(PutObjectCommand).rejects(new TypeError('a defect'));
  await expect(run()).rejects.toThrow(TypeError);
});

const zero = () => Buffer.from([0]);
