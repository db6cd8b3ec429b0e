import { join } from 'node:path';
import { LayersError } from '../errors';
import { sha256OfFile } from '../hash';
import { exampleObjectKey, layerObjectKey, type ReleasePlan } from '../release';

/** A zip that belongs into every target's bucket. */
export interface ReleaseZip {
  /** File name: `<layer name>.zip`, or `<digest>.zip` of an example. */
  readonly name: string;
  /** Object key, derived from the content's digest. */
  readonly key: string;
  /** SHA-256 in base64: what S3 calls ChecksumSHA256. */
  readonly codeSha256: string;
  readonly bytes: number;
  /** Path of the verified local file; undefined where there is none. */
  readonly file?: string;
  /** Folders that were searched. */
  readonly searched: readonly string[];
}

/**
 * The zips of a release and where they are on this machine, each with its SHA-256 checked.
 *
 * @throws LayersError `ZipDiffers`, with every wrong file in one message
 */
export async function findZips(
  plan: ReleasePlan,
  layerDirs: readonly string[],
  exampleDirs: readonly string[],
): Promise<ReleaseZip[]> {
  const wanted: ReleaseZip[] = [
    ...plan.layers.map(({ name, digest, codeSha256, zipBytes }) => ({
      name: `${name}.zip`,
      key: layerObjectKey(digest),
      codeSha256,
      bytes: zipBytes,
      searched: layerDirs,
    })),
    ...plan.examples.map(({ digest, codeSha256, zipBytes }) => ({
      name: `${digest}.zip`,
      key: exampleObjectKey(digest),
      codeSha256,
      bytes: zipBytes,
      searched: exampleDirs,
    })),
  ];
  const wrong: string[] = [];
  const zips: ReleaseZip[] = [];
  for (const zip of wanted) {
    let file: string | undefined;
    for (const dir of zip.searched) {
      const path = join(dir, zip.name);
      const sha256 = await sha256Base64(path);
      if (sha256 === zip.codeSha256) file = path;
      else if (sha256)
        wrong.push(`\n  ${path}: SHA-256 ${sha256}, the plan says ${zip.codeSha256}`);
    }
    zips.push({ ...zip, file });
  }
  if (wrong.length > 0) {
    throw new LayersError(
      'ZipDiffers',
      `zips that are not the plan's; build the same commit again, nothing was sent:${wrong.join('')}`,
    );
  }
  return zips;
}

/** Undefined where there is no such file. */
async function sha256Base64(path: string): Promise<string | undefined> {
  try {
    return await sha256OfFile(path, 'base64');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // The second of them: what should be a folder is a file.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
