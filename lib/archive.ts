import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, fromBufferPromise, openPromise } from 'yauzl';
import { ZipFile } from 'yazl';
import { LayersError } from './errors';

const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;

/** A file on disk and where it goes in the zip; `target` makes it a symbolic link instead. */
export interface ZipEntry {
  readonly source: string;
  readonly path: string;
  readonly mode: number;
  readonly target?: string;
}

/** Writes a zip under a temporary name, then renames it to `zipPath`. */
export async function writeZip(zipPath: string, entries: readonly ZipEntry[]): Promise<void> {
  const zip = new ZipFile();
  for (const { source, path, mode, target } of entries) {
    // What is compressed already only costs time.
    const compress = !path.endsWith('.zip');
    if (target === undefined)
      zip.addFile(source, path, { mode: 0o100000 | (mode & 0o777), compress });
    else zip.addBuffer(Buffer.from(target), path, { mode: SYMLINK | 0o777 });
  }
  zip.end();
  const partial = `${zipPath}.partial`;
  await pipeline(zip.outputStream as Readable, createWriteStream(partial));
  await rename(partial, zipPath);
}

/**
 * Unpacks a zip with its permission bits and its symbolic links.
 *
 * @throws LayersError `UnsafeArchive` for a link that leads out of the folder
 */
export async function extractZip(zipPath: string, folder: string): Promise<void> {
  const links: { readonly path: string; readonly target: string }[] = [];
  await eachEntry(zipPath, async (entry, open) => {
    // yauzl refuses absolute names and `..` itself.
    const path = join(folder, entry.fileName);
    const mode = entry.externalFileAttributes >>> 16;
    if (entry.fileName.endsWith('/')) {
      await mkdir(path, { recursive: true });
      return true;
    }
    if ((mode & FILE_TYPE) === SYMLINK) {
      links.push({ path, target: (await buffer(await open())).toString() });
      return true;
    }
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await open(), createWriteStream(path));
    await chmod(path, mode & 0o777 || 0o644);
    return true;
  });
  // Last, so that no file of the archive is written through one of its own links.
  for (const { path, target } of links) {
    const outside = relative(folder, resolve(dirname(path), target)).startsWith('..');
    if (isAbsolute(target) || outside) {
      throw new LayersError(
        'UnsafeArchive',
        `${zipPath} has a symbolic link ${relative(folder, path)} to "${target}", outside the archive; make it relative`,
      );
    }
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path);
  }
}

/** One file of a zip; undefined where it has none of that name. */
export async function readZipEntry(zipPath: string, fileName: string): Promise<Buffer | undefined> {
  return (await readZipEntries(zipPath, new Set([fileName]))).get(fileName);
}

/**
 * Files of a zip that have one of these names.
 *
 * @param zip path, or content
 */
export async function readZipEntries(
  zip: string | Buffer,
  fileNames: ReadonlySet<string>,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  await eachEntry(zip, async (entry, open) => {
    if (fileNames.has(entry.fileName)) found.set(entry.fileName, await buffer(await open()));
    return found.size < fileNames.size;
  });
  return found;
}

type Visit = (entry: Entry, open: () => Promise<Readable>) => Promise<boolean>;

/** Visits entries in order until `visit` answers false. */
async function eachEntry(source: string | Buffer, visit: Visit): Promise<void> {
  const options = { lazyEntries: true };
  const zip = await (typeof source === 'string'
    ? openPromise(source, options)
    : fromBufferPromise(source, options));
  try {
    await new Promise<void>((done, reject) => {
      zip.on('error', reject);
      zip.on('end', done);
      zip.on('entry', (entry: Entry) => {
        visit(entry, () => zip.openReadStreamPromise(entry)).then(
          (more) => (more ? zip.readEntry() : done()),
          reject,
        );
      });
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
}
