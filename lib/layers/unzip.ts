import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise } from 'yauzl';

/** Unpacks a zip with its modes, as Lambda does; yauzl refuses paths that leave the folder. */
export async function unzip(file: string, folder: string): Promise<void> {
  const zip = await openPromise(file, { lazyEntries: true });
  await new Promise<void>((resolve, reject) => {
    const extract = async (entry: Entry) => {
      const path = join(folder, entry.fileName);
      await mkdir(dirname(path), { recursive: true });
      const mode = (entry.externalFileAttributes >>> 16) & 0o777;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { mode }));
    };
    zip.on('entry', (entry: Entry) => {
      extract(entry).then(() => zip.readEntry(), reject);
    });
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.readEntry();
  });
}
