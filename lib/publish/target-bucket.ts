import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { STSClient } from '@aws-sdk/client-sts';
import { bootstrapCure, clientConfig, explain, roleCredentials, wordsOf } from '../aws';
import { LayersError } from '../errors';
import type { ReleaseTarget } from '../release';
import type { ReleaseZip } from './zips';

/** What a bucket holds under a zip's key. `note` says what is wrong with an object that differs. */
export type ObjectState =
  | { readonly state: 'present' | 'absent' }
  | { readonly state: 'differs'; readonly note: string };

/** Long enough for the largest layer over a slow line, milliseconds. */
const PUT_TIMEOUT_MS = 10 * 60_000;

/** The bootstrap bucket of one target, through one session of its publishing role. */
export class TargetBucket {
  readonly target: ReleaseTarget;
  private readonly s3: S3Client;
  private readonly cure: string;
  private readonly openSession: () => Promise<unknown>;

  /** @param homeAccount account that the target's bootstrap must trust */
  constructor(target: ReleaseTarget, sts: STSClient, homeAccount: string) {
    this.target = target;
    this.cure = bootstrapCure(target, homeAccount);
    const credentials = roleCredentials(sts, {
      roleArn: target.publishRoleArn,
      sessionName: 'layers-publish',
      cure: this.cure,
    });
    this.openSession = credentials;
    this.s3 = new S3Client({
      ...clientConfig(PUT_TIMEOUT_MS),
      region: target.region,
      credentials,
      // An endpoint of one's own has no host for each bucket.
      forcePathStyle: Boolean(process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL),
    });
  }

  /** @throws LayersError `RoleNotAssumable`, or as {@link explain} says */
  async open(): Promise<void> {
    await this.openSession();
  }

  /**
   * Compares the object's SHA-256, as S3 verified it when it was put, with the zip's.
   *
   * @throws LayersError as {@link explain} says
   */
  async head({ key, codeSha256 }: ReleaseZip): Promise<ObjectState> {
    try {
      const { ChecksumSHA256, ContentLength } = await this.s3.send(
        new HeadObjectCommand({ ...this.object(key), ChecksumMode: 'ENABLED' }),
      );
      if (ChecksumSHA256 === codeSha256) return { state: 'present' };
      return {
        state: 'differs',
        note: ChecksumSHA256
          ? `had SHA-256 ${ChecksumSHA256} and ${ContentLength} bytes`
          : `had no SHA-256 checksum and ${ContentLength} bytes`,
      };
    } catch (error) {
      if ((error as { name?: string }).name === 'NotFound') return { state: 'absent' };
      throw this.explain(error, 's3:GetObject');
    }
  }

  /**
   * Sends the zip; S3 computes its SHA-256 and refuses other bytes.
   *
   * @throws LayersError `NoSuchBucket`, `ZipDiffers`, or as {@link explain} says
   */
  async put(
    { key, codeSha256, file }: ReleaseZip & { readonly file: string },
    // A buffer, not a stream: the SDK cannot send a stream a second time after a fault.
    Body: Buffer,
  ): Promise<void> {
    try {
      await this.s3.send(
        new PutObjectCommand({
          ...this.object(key),
          Body,
          ContentType: 'application/zip',
          ChecksumSHA256: codeSha256,
        }),
      );
    } catch (error) {
      throw this.explain(error, 's3:PutObject', file);
    }
  }

  close(): void {
    this.s3.destroy();
  }

  private object(key: string) {
    return { Bucket: this.target.bucket, Key: key, ExpectedBucketOwner: this.target.account };
  }

  private explain(error: unknown, action: string, file?: string): LayersError {
    const { bucket, region, publishRoleArn, account } = this.target;
    const { name, message } = error as Error;
    if (name === 'NoSuchBucket') {
      return new LayersError('NoSuchBucket', `bucket ${bucket} does not exist; ${this.cure}`, {
        cause: error,
      });
    }
    if (name === 'BadDigest' || name === 'XAmzContentChecksumMismatch') {
      return new LayersError(
        'ZipDiffers',
        `${file} changed while it was being sent (${message}); build it again`,
        { cause: error },
      );
    }
    const reason = explain(error, { action, region, role: publishRoleArn });
    if (reason.code !== 'AccessDenied') return reason;
    return new LayersError(
      'AccessDenied',
      `${action} on bucket ${bucket} is denied to ${publishRoleArn}: ${wordsOf(error as Error)}; the bucket must belong to account ${account}, and the role may write to it once you ${this.cure}`,
      { cause: error },
    );
  }
}
