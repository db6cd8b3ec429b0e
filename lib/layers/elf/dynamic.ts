import { LayersError } from '../../errors';
import { type ElfHeader, SegmentType } from './header';

/**
 * Entries of the dynamic segment that the build reads.
 *
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
 */
export const DynamicTag = {
  end: 0n,
  library: 1n,
  hashTable: 4n,
  stringTable: 5n,
  symbolTable: 6n,
  gnuHashTable: 0x6ffffef5n,
  symbolVersions: 0x6ffffff0n,
  versionDefinitions: 0x6ffffffcn,
  versionDefinitionCount: 0x6ffffffdn,
  versionNeeds: 0x6ffffffen,
  versionNeedCount: 0x6fffffffn,
} as const;

/** What a program tells the loader, in its order; nothing for a static one. */
export function dynamicEntries(bytes: Buffer, header: ElfHeader): [tag: bigint, value: bigint][] {
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
export function fileOffset(address: bigint, header: ElfHeader): number {
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

/** A name in a string table. */
export function text(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}
