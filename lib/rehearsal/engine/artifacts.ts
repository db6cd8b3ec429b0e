import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { LayersError } from '../../errors';
import type { RoleSession } from './credentials';
import type { ArtifactStore } from './definition';
import type { Artifact, ArtifactLocation } from './model';

/** Artifacts of one pipeline in the artifact stores of its regions. */
export class Artifacts {
  /** Copies under way, so that two actions that need the same one share it. */
  private readonly copies = new Map<string, Promise<ArtifactLocation>>();

  constructor(
    private readonly pipelineName: string,
    private readonly storeOf: (region: string) => ArtifactStore | undefined,
    private readonly workDir: string,
  ) {}

  /** A fresh key, `<pipeline>/<artifact>/<random>` with both names cut short, as CodePipeline names its objects. */
  newLocation(artifactName: string, region: string, suffix = ''): ArtifactLocation {
    const random = randomUUID().replace(/-/g, '').slice(0, 10);
    return {
      bucket: this.store(region).Location,
      key: `${this.pipelineName.slice(0, 20)}/${artifactName.slice(0, 10)}/${random}${suffix}`,
    };
  }

  /** Uploads a file, encrypted with the store's key. */
  async upload(session: RoleSession, region: string, location: ArtifactLocation, file: string) {
    const key = this.store(region).EncryptionKey?.Id;
    await s3(session, region).send(
      new PutObjectCommand({
        Bucket: location.bucket,
        Key: location.key,
        Body: createReadStream(file),
        ContentLength: (await stat(file)).size,
        ...(key && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key }),
      }),
    );
  }

  /** @param accept throws when an artifact of so many bytes cannot be taken; nothing is fetched then */
  async download(
    session: RoleSession,
    region: string,
    location: ArtifactLocation,
    file: string,
    accept: (bytes: number) => void = () => {},
  ) {
    const { Body, ContentLength = 0 } = await s3(session, region).send(
      new GetObjectCommand({ Bucket: location.bucket, Key: location.key }),
    );
    try {
      accept(ContentLength);
    } catch (error) {
      (Body as Readable).destroy();
      throw error;
    }
    await pipeline(Body as Readable, createWriteStream(file));
  }

  /** Where an artifact lies in a region; copies it there with the pipeline's role when it must. */
  locate(artifact: Artifact, region: string, pipelineRole: RoleSession): Promise<ArtifactLocation> {
    const present = artifact.locations.get(region);
    if (present) return Promise.resolve(present);
    const [from] = artifact.locations;
    if (!from)
      throw new LayersError('MissingArtifact', `artifact ${artifact.name} was not written`);
    const id = `${from[1].bucket}/${from[1].key}>${region}`;
    let copy = this.copies.get(id);
    if (!copy) {
      copy = this.copy(artifact, from, region, pipelineRole).finally(() => this.copies.delete(id));
      this.copies.set(id, copy);
    }
    return copy;
  }

  private async copy(
    artifact: Artifact,
    [fromRegion, from]: [string, ArtifactLocation],
    region: string,
    pipelineRole: RoleSession,
  ): Promise<ArtifactLocation> {
    const folder = await mkdtemp(join(this.workDir, 'copy-'));
    try {
      const file = join(folder, 'artifact');
      await this.download(pipelineRole, fromRegion, from, file);
      const location = this.newLocation(artifact.name, region);
      await this.upload(pipelineRole, region, location, file);
      artifact.locations.set(region, location);
      return location;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private store(region: string): ArtifactStore {
    const store = this.storeOf(region);
    if (!store) {
      throw new LayersError(
        'NoArtifactStore',
        `pipeline ${this.pipelineName} has no artifact store in ${region}; add one to ArtifactStores`,
      );
    }
    return store;
  }
}

/** The client warns on the console of a failed upload that it cannot repeat; the error says it already. */
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

function s3(session: RoleSession, region: string): S3Client {
  return new S3Client({ ...session.config(region), forcePathStyle: true, logger: QUIET });
}
