import { createHash } from 'node:crypto';
import type { Architecture } from '../release';
import { ZIP_FORMAT } from './zip';

/** What a layer's digest covers beside the files: what Lambda stores, and the revision. */
export interface DigestMetadata {
  readonly architecture: Architecture;
  readonly compatibleRuntimes: readonly string[];
  readonly license: string;
  readonly description: string;
  readonly revision: number;
}

/** A file by its hash. */
export interface HashedFile {
  readonly path: string;
  readonly mode: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Digest of a layer, 64 hex digits: SHA-256 over the UTF-8 text
 *
 * ```json
 * ["lambda-layer",<zip format>,<architecture>,[<compatible runtimes, sorted>],<license>,<description>,<revision>,
 *  [[<path>,<mode as four octal digits>,<bytes>,<SHA-256 of the content, hex>],…sorted by path]]
 * ```
 *
 * written by `JSON.stringify` without white space; sorting is by UTF-16 code unit, JavaScript's own.
 * Zip bytes, times and the order in which files were found have no part in it. The name of the zip
 * format has: another compressor gives another CodeSha256, which a published version cannot take on,
 * so it must give another layer name too.
 */
export function layerDigest(files: readonly HashedFile[], metadata: DigestMetadata): string {
  return digestOf([
    'lambda-layer',
    ZIP_FORMAT,
    metadata.architecture,
    [...metadata.compatibleRuntimes].sort(),
    metadata.license,
    metadata.description,
    metadata.revision,
    fileRows(files),
  ]);
}

/** Digest of an example function: as `layerDigest`, over `["lambda-function",<zip format>,[…files]]`. */
export function functionDigest(files: readonly HashedFile[]): string {
  return digestOf(['lambda-function', ZIP_FORMAT, fileRows(files)]);
}

function fileRows(files: readonly HashedFile[]) {
  return [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((file) => [file.path, file.mode.toString(8).padStart(4, '0'), file.bytes, file.sha256]);
}

function digestOf(value: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(value), 'utf8').digest('hex');
}
