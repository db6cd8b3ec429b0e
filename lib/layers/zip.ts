import { ZipFile } from 'yazl';
import { LayersError } from '../errors';
import type { TreeFile } from './specs';

/** Writes a zip of the files: the same bytes for the same files, whatever the machine. */
export type ZipWriter = (files: readonly TreeFile[]) => Promise<Buffer>;

/** Names the default writer and its settings; part of every digest and input fingerprint. */
export const ZIP_FORMAT = 'yazl deflate-6 1';

/** Level 9 takes twice the time and saves 0.2 % of these binaries. */
const LEVEL = 6;
const REGULAR_FILE = 0o100000;

/**
 * DOS times have no zone and yazl writes the local one, so this is the same wall clock everywhere.
 * Noon, because no time zone has ever skipped it.
 */
const TIME = new Date(1980, 0, 1, 12, 0, 0);

/**
 * The default writer: sorted entries, fixed time and modes, no directories, no extra fields,
 * deflate in zlib's own threads (so the event loop is free for other layers).
 */
export const writeZip: ZipWriter = async (files) => {
  const zip = new ZipFile();
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, mode, content } of sorted) {
    zip.addBuffer(content, path, {
      mtime: TIME,
      // Without it yazl adds a UTC time stamp, which would betray the zone of the local one.
      forceDosTimestamp: true,
      mode: REGULAR_FILE | mode,
      compressionLevel: LEVEL,
    });
  }
  zip.end();
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  } catch (cause) {
    throw new LayersError('ZipFailed', `the zip could not be written: ${cause}`, { cause });
  }
  return Buffer.concat(chunks);
};
