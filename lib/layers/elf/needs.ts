import { LayersError } from '../../errors';
import type { Architecture } from '../../release';
import { compareVersions } from '../bases';
import { type ElfHeader, SegmentType } from './header';

/** Path of glibc's dynamic loader; musl's is another one, and Lambda's bases do not have it. */
const LOADERS: Readonly<Record<Architecture, string>> = {
  x86_64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
};

const DynamicTag = {
  end: 0n,
  library: 1n,
  stringTable: 5n,
  versionNeeds: 0x6ffffffen,
  versionNeedCount: 0x6fffffffn,
} as const;

/** Relative relocations in a packed form; no version number, but loaders know it since 2.36. */
const RELR_MARKER = 'GLIBC_ABI_DT_RELR';
const RELR_GLIBC = '2.36';

/**
 * The newest glibc symbol version that a program needs, `2.28`, out of its version needs
 * (`.gnu.version_r`), found the way the loader finds them: through the dynamic segment.
 *
 * @throws LayersError `NotGlibc` for a static program or another C library
 * @see https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
 */
export function neededGlibc(
  bytes: Buffer,
  header: ElfHeader,
  architecture: Architecture,
  what: string,
): string {
  const loader = interpreterOf(bytes, header);
  if (loader !== LOADERS[architecture]) {
    throw new LayersError(
      'NotGlibc',
      `${what} asks for loader ${loader ?? '(none, it is static)'}, not for glibc's ` +
        `${LOADERS[architecture]}; choose the package's glibc build`,
    );
  }
  const versions = versionNeeds(bytes, header)
    .map((name) => (name === RELR_MARKER ? RELR_GLIBC : /^GLIBC_([\d.]+)$/.exec(name)?.[1]))
    .filter((version) => version !== undefined)
    .sort(compareVersions);
  const newest = versions.at(-1);
  if (newest === undefined) {
    throw new LayersError('NotGlibc', `${what} names no glibc version; choose a glibc build`);
  }
  return newest;
}

/** Names of the shared libraries that a program is loaded with, `libc.so.6`. */
export function neededLibraries(bytes: Buffer, header: ElfHeader): string[] {
  const entries = dynamicEntries(bytes, header);
  const table = new Map(entries).get(DynamicTag.stringTable);
  if (table === undefined) return [];
  const strings = bytes.subarray(fileOffset(table, header));
  return entries.flatMap(([tag, value]) =>
    tag === DynamicTag.library ? [text(strings, Number(value))] : [],
  );
}

function interpreterOf(bytes: Buffer, header: ElfHeader): string | undefined {
  const segment = header.segments.find(({ type }) => type === SegmentType.interpreter);
  return segment && text(bytes.subarray(segment.offset, segment.offset + segment.fileSize), 0);
}

/** Every version name that the program needs from its shared libraries. */
function versionNeeds(bytes: Buffer, header: ElfHeader): string[] {
  const tags = new Map(dynamicEntries(bytes, header));
  const first = tags.get(DynamicTag.versionNeeds);
  const table = tags.get(DynamicTag.stringTable);
  if (first === undefined || table === undefined) return [];
  const strings = bytes.subarray(fileOffset(table, header));
  const names: string[] = [];
  let need = fileOffset(first, header);
  for (let left = tags.get(DynamicTag.versionNeedCount) ?? 0n; left > 0n; left--) {
    let entry = need + bytes.readUInt32LE(need + 8);
    for (let count = bytes.readUInt16LE(need + 2); count > 0; count--) {
      names.push(text(strings, bytes.readUInt32LE(entry + 8)));
      entry += bytes.readUInt32LE(entry + 12);
    }
    need += bytes.readUInt32LE(need + 12);
  }
  return names;
}

function dynamicEntries(bytes: Buffer, header: ElfHeader): [tag: bigint, value: bigint][] {
  const segment = header.segments.find(({ type }) => type === SegmentType.dynamic);
  const entries: [bigint, bigint][] = [];
  if (!segment) return entries;
  for (let at = segment.offset; at < segment.offset + segment.fileSize; at += 16) {
    const tag = bytes.readBigUInt64LE(at);
    if (tag === DynamicTag.end) break;
    entries.push([tag, bytes.readBigUInt64LE(at + 8)]);
  }
  return entries;
}

/** Where the loader would find a virtual address in the file. */
function fileOffset(address: bigint, header: ElfHeader): number {
  const at = Number(address);
  const segment = header.segments.find(
    (candidate) =>
      candidate.type === SegmentType.load &&
      at >= candidate.address &&
      at < candidate.address + candidate.fileSize,
  );
  // An address outside every segment means that the bytes are not what the header says.
  if (!segment) throw new LayersError('NotElf', `address 0x${at.toString(16)} is not in the file`);
  return at - segment.address + segment.offset;
}

function text(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}
