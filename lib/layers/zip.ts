import { crc32 } from 'node:zlib';
import { Zip } from 'fflate';
import { zipHeader } from '../archive';
import { LayersError } from '../errors';
import { type Deflate, libdeflate, zlibDeflate } from './deflate';
import type { TreeFile } from './specs';

/** Writes a zip of the files: the same bytes for the same files, whatever the machine. */
export type ZipWriter = (files: readonly TreeFile[]) => Promise<Buffer>;

/** Names the default writer and its settings; part of every digest and input fingerprint. */
export const ZIP_FORMAT = 'fflate zlib-6 libdeflate-10 1';

/**
 * From this size on, libdeflate. Interpreters have all but some kilobytes of a layer; whatever is
 * smaller saves nothing that would be worth a second program, and example functions need none.
 */
const BIG_FILE = 1 << 20;

/**
 * The default writer: sorted entries, fixed time and modes, no directories, no extra fields.
 * Nothing is deflated on the event loop, so it is free for other layers.
 */
export function zipWriter(deflateBig: Deflate): ZipWriter {
  return async (files) => {
    const chunks: Uint8Array[] = [];
    const zip = new Zip((cause, chunk) => {
      if (cause) {
        throw new LayersError('ZipFailed', `the zip could not be written: ${cause}`, { cause });
      }
      chunks.push(chunk);
    });
    const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const { path, mode, content } of sorted) {
      const deflate = content.length < BIG_FILE ? zlibDeflate : deflateBig;
      const deflated = await deflate(content);
      const entry = zipHeader(path, mode);
      entry.size = content.length;
      entry.crc = crc32(content);
      zip.add(entry);
      entry.ondata?.(null, deflated, true);
    }
    zip.end();
    return Buffer.concat(chunks);
  };
}

export const reproducibleZip = zipWriter(libdeflate());
