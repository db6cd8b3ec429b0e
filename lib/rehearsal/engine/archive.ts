import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { LayersError } from '../../errors';

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
  const zip = new yazl.ZipFile();
  for (const { source, path, mode, target } of entries) {
    if (target === undefined) zip.addFile(source, path, { mode: 0o100000 | (mode & 0o777) });
    else zip.addBuffer(Buffer.from(target), path, { mode: SYMLINK | 0o777 });
  }
  zip.end();
  const partial = `${zipPath}.partial`;
  await pipeline(zip.outputStream as Readable, createWriteStream(partial));
  await rename(partial, zipPath);
}

/** Unpacks a zip with its permission bits and its symbolic links into an existing folder. */
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
    const content = await open();
    if ((mode & FILE_TYPE) === SYMLINK) {
      links.push({ path, target: await text(content) });
      return true;
    }
    await mkdir(dirname(path), { recursive: true });
    await pipeline(content, createWriteStream(path));
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

/**
 * Text of one file of a zip.
 *
 * @throws LayersError FileNotInArtifact
 */
export async function readZipText(zipPath: string, fileName: string): Promise<string> {
  let found: string | undefined;
  await eachEntry(zipPath, async (entry, open) => {
    if (entry.fileName !== fileName) return true;
    found = await text(await open());
    return false;
  });
  if (found === undefined) {
    throw new LayersError(
      'FileNotInArtifact',
      `the artifact has no file ${fileName}; check the path in the action's configuration`,
    );
  }
  return found;
}

type Visit = (entry: yauzl.Entry, open: () => Promise<Readable>) => Promise<boolean>;

/** Visits entries in order until `visit` answers false. */
function eachEntry(zipPath: string, visit: Visit): Promise<void> {
  return new Promise((resolvePromise, reject) => {
    yauzl.open(zipPath, { lazyEntries: true }, (openError, zip) => {
      if (openError || !zip) {
        reject(openError ?? new Error(`cannot open ${zipPath}`));
        return;
      }
      const fail = (error: unknown) => {
        zip.close();
        reject(error);
      };
      const open = (entry: yauzl.Entry) =>
        new Promise<Readable>((resolveStream, rejectStream) => {
          zip.openReadStream(entry, (error, stream) =>
            error || !stream ? rejectStream(error) : resolveStream(stream),
          );
        });
      zip.on('error', fail);
      zip.on('end', () => resolvePromise());
      zip.on('entry', (entry: yauzl.Entry) => {
        visit(entry, () => open(entry)).then((more) => {
          if (more) zip.readEntry();
          else {
            zip.close();
            resolvePromise();
          }
        }, fail);
      });
      zip.readEntry();
    });
  });
}
