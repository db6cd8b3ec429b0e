import { DynamicTag, dynamicEntries, fileOffset, text } from './dynamic';
import type { ElfHeader } from './header';
import { neededVersions } from './needs';

const SYMBOL_SIZE = 24;
/** st_info: a weak symbol may stay undefined. */
const WEAK = 2;
/** Versions 0 and 1 stand for none, the top bit for a symbol that is not the default. */
const FIRST_VERSION = 2;
const VERSION_MASK = 0x7fff;

interface DynamicSymbol {
  readonly name: string;
  readonly defined: boolean;
  readonly weak: boolean;
  /** Number of its version; undefined without one. */
  readonly version?: number;
}

/**
 * What a program takes from one of its shared libraries, `__atomic_load@LIBATOMIC_1.0`. A symbol that
 * names no version could be any library's, so it counts.
 */
export function importedSymbols(bytes: Buffer, header: ElfHeader, library: string): string[] {
  const versions = new Map(neededVersions(bytes, header).map((each) => [each.index, each]));
  return dynamicSymbols(bytes, header).flatMap(({ name, defined, weak, version }) => {
    if (defined || weak) return [];
    if (version === undefined) return [name];
    const needed = versions.get(version);
    return needed?.library === library ? [`${name}@${needed.name}`] : [];
  });
}

/** What a shared library has for others, in the words of `importedSymbols`. */
export function exportedSymbols(bytes: Buffer, header: ElfHeader): string[] {
  const versions = definedVersions(bytes, header);
  return dynamicSymbols(bytes, header).flatMap(({ name, defined, version }) => {
    if (!defined) return [];
    return version === undefined ? [name] : [`${name}@${versions.get(version)}`];
  });
}

function dynamicSymbols(bytes: Buffer, header: ElfHeader): DynamicSymbol[] {
  const tags = new Map(dynamicEntries(bytes, header));
  const table = tags.get(DynamicTag.symbolTable);
  const names = tags.get(DynamicTag.stringTable);
  if (table === undefined || names === undefined) return [];
  const symbols = bytes.subarray(fileOffset(table, header));
  const strings = bytes.subarray(fileOffset(names, header));
  const versionTable = tags.get(DynamicTag.symbolVersions);
  const versions =
    versionTable === undefined ? undefined : bytes.subarray(fileOffset(versionTable, header));
  // The first symbol is nobody's.
  return Array.from({ length: Math.max(0, symbolCount(bytes, header) - 1) }, (_, at) => {
    const index = at + 1;
    const start = index * SYMBOL_SIZE;
    const version = (versions?.readUInt16LE(index * 2) ?? 0) & VERSION_MASK;
    return {
      name: text(strings, symbols.readUInt32LE(start)),
      defined: symbols.readUInt16LE(start + 6) !== 0,
      weak: symbols.readUInt8(start + 4) >> 4 === WEAK,
      ...(version >= FIRST_VERSION && { version }),
    };
  });
}

/** No table says how many symbols there are; the hash tables, of either kind, end with the last one. */
function symbolCount(bytes: Buffer, header: ElfHeader): number {
  const tags = new Map(dynamicEntries(bytes, header));
  const plain = tags.get(DynamicTag.hashTable);
  if (plain !== undefined) return bytes.readUInt32LE(fileOffset(plain, header) + 4);
  const gnu = tags.get(DynamicTag.gnuHashTable);
  if (gnu === undefined) return 0;
  const at = fileOffset(gnu, header);
  const [buckets, firstHashed, filterWords] = [0, 4, 8].map((word) =>
    bytes.readUInt32LE(at + word),
  );
  const bucketsAt = at + 16 + filterWords * 8;
  const chainsAt = bucketsAt + buckets * 4;
  let last = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    last = Math.max(last, bytes.readUInt32LE(bucketsAt + bucket * 4));
  }
  if (last < firstHashed) return firstHashed;
  // An odd hash ends its chain.
  while ((bytes.readUInt32LE(chainsAt + (last - firstHashed) * 4) & 1) === 0) last++;
  return last + 1;
}

function definedVersions(bytes: Buffer, header: ElfHeader): Map<number, string> {
  const tags = new Map(dynamicEntries(bytes, header));
  const first = tags.get(DynamicTag.versionDefinitions);
  const table = tags.get(DynamicTag.stringTable);
  const versions = new Map<number, string>();
  if (first === undefined || table === undefined) return versions;
  const strings = bytes.subarray(fileOffset(table, header));
  let at = fileOffset(first, header);
  for (let left = tags.get(DynamicTag.versionDefinitionCount) ?? 0n; left > 0n; left--) {
    const name = at + bytes.readUInt32LE(at + 12);
    versions.set(bytes.readUInt16LE(at + 4), text(strings, bytes.readUInt32LE(name)));
    const next = bytes.readUInt32LE(at + 16);
    if (next === 0) break;
    at += next;
  }
  return versions;
}
