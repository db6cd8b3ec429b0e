import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Location } from '@aws-sdk/client-codepipeline';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readZipEntry } from '../../archive';
import { LayersError } from '../../errors';
import { parseReleasePlan, type ReleaseLayer } from '../../release';
import { LocalCloud } from '../cloud';
import type { CloudState } from '../daemon';
import { EngineClient } from './client';

/** Ending of the output artifact that holds `release.json`. */
const RELEASE_ARTIFACT = '_dist_release';

/**
 * The layers that the pipeline itself decided to release, out of its newest `release.json`: the
 * checkout need not have built them.
 *
 * @param since executions that began before, in milliseconds of the epoch, do not count
 * @param dir existing folder for a temporary file
 * @returns undefined where no execution came that far
 */
export async function releasedLayers(
  cloud: CloudState,
  since: number,
  dir: string,
): Promise<readonly ReleaseLayer[] | undefined> {
  const client = new EngineClient(cloud);
  const executions = await client.executions();
  for (const execution of executions.toSorted((a, b) => (a.startTime < b.startTime ? 1 : -1))) {
    if (Date.parse(execution.startTime) < since) return undefined;
    const location = (await client.outputArtifacts(execution)).find(({ name = '' }) =>
      name.endsWith(RELEASE_ARTIFACT),
    )?.s3location;
    if (!location) continue;
    const { account, region } = execution.pipeline;
    const text = await readReleaseJson(cloud, { account, region }, location, dir);
    return parseReleasePlan(JSON.parse(text), `release.json of execution ${execution.id}`).layers;
  }
  return undefined;
}

async function readReleaseJson(
  cloud: CloudState,
  { account, region }: { readonly account: string; readonly region: string },
  { bucket: Bucket, key: Key }: S3Location,
  parent: string,
): Promise<string> {
  const api = await LocalCloud.attach({ endpoint: cloud.endpoint, caFile: cloud.caFile });
  const s3 = new S3Client(api.sdkConfig(account, region));
  const dir = mkdtempSync(join(parent, 'release-'));
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const zip = join(dir, 'artifact.zip');
    await pipeline(Body as Readable, createWriteStream(zip));
    const release = await readZipEntry(zip, 'release.json');
    if (!release) throw new LayersError('NoRelease', `artifact ${Key} has no release.json`);
    return release.toString();
  } finally {
    rmSync(dir, { recursive: true, force: true });
    s3.destroy();
  }
}
