import pMap from 'p-map';
import { callerAccount, stsClient } from '../aws';
import { LayersError } from '../errors';
import type { ReleasePlan, ReleaseTarget } from '../release';
import { type ObjectState, TargetBucket } from './target-bucket';
import { ZipBodies } from './zip-bodies';
import { findZips, type ReleaseZip } from './zips';

export interface PublishOptions {
  readonly plan: ReleasePlan;
  /** Folders with `<layer name>.zip`. */
  readonly layerDirs: readonly string[];
  /** Folders with `<example digest>.zip`. */
  readonly exampleDirs: readonly string[];
  /**
   * Requests at the same time.
   * @default 16
   */
  readonly concurrency?: number;
  /** Called once for each object, as soon as its fate is known. */
  readonly onObject?: (object: PublishedObject) => void;
}

/** One zip in one target. */
export interface PublishedObject {
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  /** File name of the zip. */
  readonly zip: string;
  /** `replaced`: an object with other bytes, or unverifiable ones, was there. */
  readonly status: 'published' | 'present' | 'replaced' | 'failed';
  readonly bytes: number;
  readonly milliseconds: number;
  /** What the replaced object was, or why it failed; empty otherwise. */
  readonly message: string;
}

interface Transfer {
  readonly bucket: TargetBucket;
  readonly zip: ReleaseZip;
  readonly found: ObjectState;
}

/**
 * Copies the zips of a release into the bucket of every target that lacks them.
 *
 * Before anything is sent, all local zips are verified and all buckets are asked; a rerun
 * sends only what is missing. A target that fails does not stop the others: its objects come back
 * as `failed`.
 *
 * @throws LayersError `ZipDiffers`, `ZipMissing`, `NoCredentials`, `ExpiredCredentials` and the
 * like, before anything is sent
 */
export async function publish(options: PublishOptions): Promise<PublishedObject[]> {
  const { plan, concurrency = 16, onObject } = options;
  const zips = await findZips(plan, options.layerDirs, options.exampleDirs);
  const sts = stsClient(plan.homeRegion);
  const homeAccount = await callerAccount(sts);
  const buckets = plan.targets.map((target) => new TargetBucket(target, sts, homeAccount));
  const results: PublishedObject[] = [];
  const settle = (
    target: ReleaseTarget,
    zip: ReleaseZip,
    outcome: Pick<PublishedObject, 'status' | 'milliseconds'> & { readonly message?: string },
  ) => {
    const { account, region, bucket } = target;
    const { key, name, bytes } = zip;
    const object = { account, region, bucket, key, zip: name, bytes, message: '', ...outcome };
    results.push(object);
    onObject?.(object);
  };

  try {
    const transfers: Transfer[] = [];
    await pMap(
      buckets,
      async (bucket) => {
        const startedAt = Date.now();
        try {
          await bucket.open();
          const states = await pMap(zips, (zip) => bucket.head(zip), { concurrency: 1 });
          transfers.push(...zips.map((zip, i) => ({ bucket, zip, found: states[i] })));
        } catch (error) {
          const message = userMessage(error);
          const milliseconds = Date.now() - startedAt;
          for (const zip of zips) {
            settle(bucket.target, zip, { status: 'failed', milliseconds, message });
          }
        }
      },
      { concurrency },
    );
    refuseMissingZips(transfers);
    // Zip by zip, so that few of them are in memory together.
    transfers.sort((a, b) => zips.indexOf(a.zip) - zips.indexOf(b.zip));
    const absent = transfers.filter(({ found }) => found.state !== 'present');
    const bodies = new ZipBodies(absent.map(({ zip }) => zip.file as string));
    await pMap(
      transfers,
      async ({ bucket, zip, found }) => {
        const startedAt = Date.now();
        const elapsed = () => Date.now() - startedAt;
        if (found.state === 'present') {
          settle(bucket.target, zip, { status: 'present', milliseconds: 0 });
          return;
        }
        try {
          const file = zip.file as string;
          await bodies.use(file, (body) => bucket.put({ ...zip, file }, body));
          settle(bucket.target, zip, {
            status: found.state === 'differs' ? 'replaced' : 'published',
            milliseconds: elapsed(),
            message: found.state === 'differs' ? found.note : '',
          });
        } catch (error) {
          const message = userMessage(error);
          settle(bucket.target, zip, { status: 'failed', milliseconds: elapsed(), message });
        }
      },
      { concurrency },
    );
    return results;
  } finally {
    for (const bucket of buckets) bucket.close();
    sts.destroy();
  }
}

/** A zip may be missing here only if every bucket already holds it. */
function refuseMissingZips(transfers: readonly Transfer[]): void {
  const missing = transfers.filter(({ zip, found }) => !zip.file && found.state !== 'present');
  if (missing.length === 0) return;
  const lines = new Set(
    missing.map(({ zip }) => {
      const where = missing
        .filter((other) => other.zip === zip)
        .map(({ bucket: { target } }) => `${target.account}/${target.region}`);
      return `\n  ${zip.name}: not in ${zip.searched.join(', ')}, and not in the bucket of ${where.join(', ')}`;
    }),
  );
  throw new LayersError(
    'ZipMissing',
    `zips that are neither here nor in every target; build them, nothing was sent:${[...lines].join('')}`,
  );
}

/** A defect is no failure of a target: it goes up with its stack. */
function userMessage(error: unknown): string {
  if (error instanceof LayersError) return error.message;
  throw error;
}

/**
 * The one error of a run in which targets failed: each with its reasons and their cures.
 * Undefined where none did.
 */
export function publishError(objects: readonly PublishedObject[]): LayersError | undefined {
  const reasons = new Map<string, Set<string>>();
  for (const { status, account, region, message } of objects) {
    const target = `${account}/${region}`;
    if (status === 'failed') reasons.set(target, (reasons.get(target) ?? new Set()).add(message));
  }
  if (reasons.size === 0) return undefined;
  const targets = new Set(objects.map(({ account, region }) => `${account}/${region}`));
  const lines = [...reasons]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([target, messages]) => [...messages].map((message) => `\n  ${target}: ${message}`));
  return new LayersError(
    'PublishFailed',
    `${reasons.size} of ${targets.size} targets failed; put them right and run again, only what is missing is sent:${lines.join('')}`,
  );
}
