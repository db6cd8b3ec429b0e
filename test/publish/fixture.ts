import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Architecture,
  type ExampleManifest,
  layerName,
  type ReleaseLayer,
  type ReleasePlan,
  type ReleaseTarget,
} from '../../lib/release';

export const HOME = '111111111111';
export const OTHER = '222222222222';

export const hex = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
export const base64 = (content: string | Buffer) =>
  createHash('sha256').update(content).digest('base64');

/** What stands for a zip where nothing unpacks it. */
export const zipOf = (name: string) => Buffer.from(`zip of ${name}`);

export function layer(
  runtime: string,
  architecture: Architecture,
  zip: Buffer = zipOf(`${runtime}-${architecture}`),
): ReleaseLayer {
  const version = runtime === 'deno' ? '2.9.5' : '24.21.0';
  const digest = hex(`tree of ${runtime} ${architecture}`);
  return {
    schemaVersion: 1,
    runtime,
    version,
    architecture,
    name: layerName({ runtime, version, architecture, digest }),
    digest,
    codeSha256: base64(zip),
    zipBytes: zip.length,
    unzippedBytes: zip.length * 2,
    license: 'MIT',
    description: `${runtime} ${version} for ${architecture}`,
    compatibleRuntimes: ['provided.al2023'],
    source: { package: `${runtime}-linux`, version, integrity: 'sha512-x' },
  };
}

export function example(runtime: string, zip: Buffer = zipOf(runtime)): ExampleManifest {
  return {
    runtime,
    digest: hex(`tree of example ${runtime}`),
    codeSha256: base64(zip),
    zipBytes: zip.length,
    handler: 'mod.handler',
  };
}

export function target(
  account: string,
  region: string,
  layers: readonly ReleaseLayer[],
  wave = 'first',
): ReleaseTarget {
  return {
    account,
    region,
    partition: 'aws',
    wave,
    bucket: `cdk-hnb659fds-assets-${account}-${region}`,
    publishRoleArn: `arn:aws:iam::${account}:role/cdk-hnb659fds-file-publishing-role-${account}-${region}`,
    lookupRoleArn: `arn:aws:iam::${account}:role/cdk-hnb659fds-lookup-role-${account}-${region}`,
    smokeRoleArn: `arn:aws:iam::${account}:role/layers-smoke-${region}`,
    layers: layers.map(({ name }) => ({
      name,
      arn: `arn:aws:lambda:${region}:${account}:layer:${name}:1`,
      functionName: `layers-${name}`,
    })),
  };
}

export function plan(
  places: readonly (readonly [account: string, region: string, wave?: string])[],
  layers: readonly ReleaseLayer[] = [layer('deno', 'arm64'), layer('deno', 'x86_64')],
  examples: readonly ExampleManifest[] = [example('deno')],
): ReleasePlan {
  return {
    schemaVersion: 1,
    homeRegion: 'eu-west-1',
    namespace: '/layers',
    publishStack: 'layers-publish',
    releaseStack: 'layers-release',
    layers,
    examples,
    targets: places.map(([account, region, wave]) => target(account, region, layers, wave)),
  };
}

/** A folder with the zips of {@link plan}, and the way to remove it. */
export async function zipFolder({ layers, examples }: ReleasePlan) {
  const dir = await mkdtemp(join(tmpdir(), 'layers-publish-test-'));
  await Promise.all([
    ...layers.map(({ name, runtime, architecture }) =>
      writeFile(join(dir, `${name}.zip`), zipOf(`${runtime}-${architecture}`)),
    ),
    ...examples.map(({ runtime, digest }) => writeFile(join(dir, `${digest}.zip`), zipOf(runtime))),
  ]);
  return { dir, remove: () => rm(dir, { recursive: true }) };
}

/** Answer of STS to AssumeRole. */
export const SESSION = {
  Credentials: {
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'secret',
    SessionToken: 'token',
    Expiration: new Date(Date.now() + 3_600_000),
  },
};

/** An error in the form in which the AWS SDK throws it. */
export function awsError(name: string, message = name, httpStatusCode = 400): Error {
  return Object.assign(new Error(message), {
    name,
    $fault: 'client',
    $metadata: { httpStatusCode },
  });
}
