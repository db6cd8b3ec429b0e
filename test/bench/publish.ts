import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { partitionOf, REGIONS } from '../../lib/config';
import { bundleTools } from '../../lib/publish/bundle-tools';
import type { ReleasePlan } from '../../lib/release';
import { layerObjectKey } from '../../lib/release';
import { layer, plan } from '../publish/fixture';
import { LatentAws } from './latent-aws';

const run = promisify(execFile);
const ROOT = resolve(__dirname, '../..');

/** CDK's own publisher, as CDK Pipelines installs it. */
const PEER = 'cdk-assets@4.7.3';
const ACCOUNTS = ['111111111111', '222222222222', '333333333333'];
const TARGETS = 102;
const LATENCY = 50;
const ZIP_BYTES = 256 * 1024;

export interface PublishTimes {
  readonly title: string;
  readonly ours: number;
  readonly peer: number;
  /** Requests that each needed. */
  readonly requests: readonly [ours: number, peer: number];
}

/**
 * Four zips into 102 buckets that hold none of them, over 50 ms of latency: the publish action's
 * program against cdk-assets, each as a process of its own. The zips are small, so that it is round trips
 * that are compared and not this machine's bandwidth.
 *
 * @throws when either leaves an object out
 */
export async function measurePublish(): Promise<PublishTimes> {
  const dir = mkdtempSync(join(tmpdir(), 'layers-bench-'));
  try {
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', dir, PEER]);
    const tools = join(dir, 'tools.cjs');
    await bundleTools(tools);
    const release = writeRelease(dir);
    const objects = release.targets.flatMap(({ bucket }) =>
      release.layers.map(({ digest }) => `/${bucket}/${layerObjectKey(digest)}`),
    );
    const measure = async (args: readonly string[]) => {
      const aws = await LatentAws.start(LATENCY);
      try {
        const started = performance.now();
        await run(process.execPath, [...args], { cwd: ROOT, env: environment(aws, dir) });
        const seconds = (performance.now() - started) / 1000;
        const missing = objects.filter((path) => !aws.objects.has(path));
        if (missing.length > 0) throw new Error(`${missing.length} objects were not published`);
        return { seconds, requests: aws.requests };
      } finally {
        aws.close();
      }
    };
    const ours = await measure([
      ...[tools, 'publish', '--plan', join(dir, 'release.json')],
      ...['--layers', dir, '--examples', dir],
    ]);
    const peer = await measure([
      join(dir, 'node_modules/cdk-assets/bin/cdk-assets'),
      ...['publish', '--path', join(dir, 'assets.json')],
    ]);
    return {
      title: `${release.layers.length} zips of ${ZIP_BYTES / 1024} KiB into ${TARGETS} buckets, ${LATENCY} ms latency`,
      ours: ours.seconds,
      peer: peer.seconds,
      requests: [ours.requests, peer.requests],
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The same four zips for both: `release.json` for ours, an asset manifest for the peer. */
function writeRelease(dir: string): ReleasePlan {
  const zips = (['deno', 'node'] as const).flatMap((runtime) =>
    (['arm64', 'x86_64'] as const).map((architecture) => {
      const seed = createHash('sha256').update(`${runtime} ${architecture}`).digest();
      const zip = Buffer.alloc(ZIP_BYTES, seed);
      return { zip, manifest: layer(runtime, architecture, zip) };
    }),
  );
  const regions = [...REGIONS.keys()].filter((region) => partitionOf(region) === 'aws');
  const places = regions
    .flatMap((region) => ACCOUNTS.map((account) => [account, region] as const))
    .slice(0, TARGETS);
  const release = plan(
    places,
    zips.map(({ manifest }) => manifest),
    [],
  );
  writeFileSync(join(dir, 'release.json'), JSON.stringify(release));
  mkdirSync(join(dir, 'home'));
  const files = zips.map(({ zip, manifest }) => {
    const path = `${manifest.name}.zip`;
    writeFileSync(join(dir, path), zip);
    const destinations = release.targets.map((target) => [
      `${target.account}-${target.region}`,
      {
        bucketName: target.bucket,
        objectKey: layerObjectKey(manifest.digest),
        region: target.region,
        assumeRoleArn: target.publishRoleArn,
      },
    ]);
    return [
      manifest.digest,
      { source: { path, packaging: 'file' }, destinations: Object.fromEntries(destinations) },
    ];
  });
  const manifest = { version: '36.0.0', files: Object.fromEntries(files), dockerImages: {} };
  writeFileSync(join(dir, 'assets.json'), JSON.stringify(manifest));
  return release;
}

function environment({ endpoint }: LatentAws, dir: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: join(dir, 'home'),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: '111111111111',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}
