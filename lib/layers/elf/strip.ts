import { type ElfHeader, HEADER_SIZE, SECTION_HEADER_SIZE } from './header';

const ALLOCATED = 2n;
const INFO_IS_SECTION = 0x40n;
const STRING_TABLE = 3;
const ALIGNMENT = 8;

/**
 * Drops what the loader never reads: symbol and string tables, debug and comment sections.
 *
 * Every byte that a program header covers stays where it is; behind the last one come a new
 * `.shstrtab` and a section header table of the allocated sections alone. Only e_shoff, e_shnum and
 * e_shstrndx of the ELF header change. Unlike a system's `strip`, it gives the same bytes on every
 * builder, for every architecture.
 */
export function stripElf(bytes: Buffer, header: ElfHeader): Buffer {
  const sections = readSections(bytes, header);
  const kept = sections.filter(
    (section, index) => index === 0 || (section.raw.readBigUInt64LE(8) & ALLOCATED) !== 0n,
  );
  const newIndex = new Map(kept.map((section, index) => [section.index, index]));
  const names = nameTable(kept.map((section) => section.name));
  const loaded = endOfSegments(header);
  const namesAt = align(loaded);
  const tableAt = align(namesAt + names.bytes.length);

  const table: Buffer[] = kept.map((section, index) => {
    const raw = Buffer.from(section.raw);
    raw.writeUInt32LE(names.offsets[index] as number, 0);
    raw.writeUInt32LE(newIndex.get(raw.readUInt32LE(40)) ?? 0, 40);
    if ((raw.readBigUInt64LE(8) & INFO_IS_SECTION) !== 0n) {
      raw.writeUInt32LE(newIndex.get(raw.readUInt32LE(44)) ?? 0, 44);
    }
    return raw;
  });
  table.push(nameSection(names.offsets.at(-1) as number, namesAt, names.bytes.length));

  const stripped = Buffer.alloc(tableAt + table.length * SECTION_HEADER_SIZE);
  bytes.copy(stripped, 0, 0, loaded);
  names.bytes.copy(stripped, namesAt);
  Buffer.concat(table).copy(stripped, tableAt);
  stripped.writeBigUInt64LE(BigInt(tableAt), 40);
  stripped.writeUInt16LE(SECTION_HEADER_SIZE, 58);
  stripped.writeUInt16LE(table.length, 60);
  stripped.writeUInt16LE(table.length - 1, 62);
  return stripped;
}

interface Section {
  /** Index in the original table: links between sections use it. */
  readonly index: number;
  readonly name: string;
  readonly raw: Buffer;
}

function readSections(bytes: Buffer, header: ElfHeader): Section[] {
  if (header.sectionCount === 0) {
    return [{ index: 0, name: '', raw: Buffer.alloc(SECTION_HEADER_SIZE) }];
  }
  const raw = Array.from({ length: header.sectionCount }, (_, index) => {
    const at = header.sectionOffset + index * SECTION_HEADER_SIZE;
    return bytes.subarray(at, at + SECTION_HEADER_SIZE);
  });
  const names = raw[header.sectionNamesIndex] as Buffer;
  const namesAt = Number(names.readBigUInt64LE(24));
  return raw.map((section, index) => {
    const start = namesAt + section.readUInt32LE(0);
    return { index, raw: section, name: bytes.toString('latin1', start, bytes.indexOf(0, start)) };
  });
}

/** A string table of the names and, last, its own; offsets in the same order. */
function nameTable(names: readonly string[]): { bytes: Buffer; offsets: number[] } {
  const offsets: number[] = [];
  let content = '\0';
  for (const name of [...names, '.shstrtab']) {
    offsets.push(name === '' ? 0 : content.length);
    if (name !== '') content += `${name}\0`;
  }
  return { bytes: Buffer.from(content, 'latin1'), offsets };
}

function nameSection(name: number, offset: number, size: number): Buffer {
  const raw = Buffer.alloc(SECTION_HEADER_SIZE);
  raw.writeUInt32LE(name, 0);
  raw.writeUInt32LE(STRING_TABLE, 4);
  raw.writeBigUInt64LE(BigInt(offset), 24);
  raw.writeBigUInt64LE(BigInt(size), 32);
  raw.writeBigUInt64LE(1n, 48);
  return raw;
}

function endOfSegments(header: ElfHeader): number {
  const ends = header.segments.map((segment) => segment.offset + segment.fileSize);
  return Math.max(HEADER_SIZE, header.programEnd, ...ends);
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
