import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pipeline as connect, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw } from 'node:zlib';
import { Zip, type ZipInputFile } from 'fflate';
import { type Entry, fromBufferPromise, openPromise } from 'yauzl';
import { LayersError } from './errors';

const FILE_TYPE = 0o170000;
const REGULAR_FILE = 0o100000;
const SYMLINK = 0o120000;

const UNIX = 3;
const STORED = 0;
const DEFLATED = 8;

/** fflate writes no zip64, and would write nonsense beyond these. */
const MAX_BYTES = 0xffffffff;
const MAX_ENTRIES = 0xffff;

/**
 * DOS times have no zone and fflate writes the local one, so this is the same wall clock
 * everywhere. Noon, because no time zone has ever skipped it.
 */
const TIME = new Date(1980, 0, 1, 12, 0, 0);

/** A file on disk and where it goes in the zip; `target` makes it a symbolic link instead. */
export interface ZipEntry {
  readonly source: string;
  readonly path: string;
  readonly mode: number;
  readonly target?: string;
}

/**
 * What a zip says of a regular file with deflated content, but for its time the file's own.
 *
 * @param mode permission bits
 */
export function zipHeader(path: string, mode: number): ZipInputFile {
  const attrs = ((REGULAR_FILE | mode) << 16) >>> 0;
  return { filename: path, crc: 0, size: 0, compression: DEFLATED, os: UNIX, attrs, mtime: TIME };
}

/**
 * Writes a zip under a temporary name, then renames it to `zipPath`.
 *
 * @throws LayersError `ZipTooLarge`
 */
export async function writeZip(zipPath: string, entries: readonly ZipEntry[]): Promise<void> {
  const partial = `${zipPath}.partial`;
  await pipeline(zipChunks(zipPath, entries), createWriteStream(partial));
  await rename(partial, zipPath);
}

/** A zip piece by piece, so that no file has to fit into memory. */
async function* zipChunks(zipPath: string, entries: readonly ZipEntry[]) {
  const chunks: Uint8Array[] = [];
  let written = 0;
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    written += chunk.length;
    chunks.push(chunk);
  });
  for (const { source, path, mode, target } of entries) {
    const file = zipHeader(path, mode & 0o777);
    // What is compressed already only costs time.
    if (path.endsWith('.zip')) file.compression = STORED;
    if (target !== undefined) file.attrs = ((SYMLINK | 0o777) << 16) >>> 0;
    zip.add(file);
    const content =
      target === undefined ? createReadStream(source) : Readable.from([Buffer.from(target)]);
    for await (const chunk of packed(content, file)) {
      file.ondata?.(null, chunk, false);
      yield* chunks.splice(0);
    }
    file.ondata?.(null, new Uint8Array(), true);
    if (entries.length > MAX_ENTRIES || file.size > MAX_BYTES || written > MAX_BYTES) {
      throw new LayersError(
        'ZipTooLarge',
        `${zipPath} would hold more than ${MAX_ENTRIES} files or 4 GiB; leave files out`,
      );
    }
  }
  zip.end();
  yield* chunks.splice(0);
}

/** A file's bytes as they go into the zip; sets its checksum and size, as fflate expects it. */
function packed(content: Readable, file: ZipInputFile): AsyncIterable<Buffer<ArrayBuffer>> {
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      file.crc = crc32(chunk, file.crc);
      file.size += chunk.length;
      yield chunk;
    }
  }
  if (file.compression === STORED) return counted(content) as AsyncIterable<Buffer<ArrayBuffer>>;
  // An error ends the last stream, whose reader is told.
  return connect(content, counted, createDeflateRaw(), () => undefined);
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
