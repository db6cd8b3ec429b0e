import { LayersError } from '../../errors';
import type { Architecture } from '../../release';
import { compareVersions } from '../bases';
import { DynamicTag, dynamicEntries, fileOffset, text } from './dynamic';
import { type ElfHeader, SegmentType } from './header';

/** Path of glibc's dynamic loader; musl's is another one, and Lambda's bases do not have it. */
const LOADERS: Readonly<Record<Architecture, string>> = {
  x86_64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
};

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
  const versions = neededVersions(bytes, header)
    .map(({ name }) => (name === RELR_MARKER ? RELR_GLIBC : /^GLIBC_([\d.]+)$/.exec(name)?.[1]))
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

/** A version of a shared library's symbols, by the number that the symbols refer to it with. */
export interface NeededVersion {
  readonly index: number;
  /** `LIBATOMIC_1.0` */
  readonly name: string;
  /** `libatomic.so.1` */
  readonly library: string;
}

/** The versions that a program needs, of all of its shared libraries. */
export function neededVersions(bytes: Buffer, header: ElfHeader): NeededVersion[] {
  const tags = new Map(dynamicEntries(bytes, header));
  const first = tags.get(DynamicTag.versionNeeds);
  const table = tags.get(DynamicTag.stringTable);
  if (first === undefined || table === undefined) return [];
  const strings = bytes.subarray(fileOffset(table, header));
  const versions: NeededVersion[] = [];
  let need = fileOffset(first, header);
  for (let left = tags.get(DynamicTag.versionNeedCount) ?? 0n; left > 0n; left--) {
    const library = text(strings, bytes.readUInt32LE(need + 4));
    let entry = need + bytes.readUInt32LE(need + 8);
    for (let count = bytes.readUInt16LE(need + 2); count > 0; count--) {
      const index = bytes.readUInt16LE(entry + 6);
      versions.push({ index, library, name: text(strings, bytes.readUInt32LE(entry + 8)) });
      entry += bytes.readUInt32LE(entry + 12);
    }
    const next = bytes.readUInt32LE(need + 12);
    if (next === 0) break;
    need += next;
  }
  return versions;
}
