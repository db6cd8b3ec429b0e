import { LayersError } from '../../errors';
import type { Architecture } from '../../release';

/**
 * The parts of a 64-bit little-endian ELF file that the build reads.
 *
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
 */
export interface ElfHeader {
  /** e_type: 2 is an executable, 3 a position-independent one. */
  readonly type: number;
  readonly machine: number;
  readonly sectionOffset: number;
  readonly sectionCount: number;
  readonly sectionNamesIndex: number;
  /** End of the program header table. */
  readonly programEnd: number;
  readonly segments: readonly Segment[];
}

/** A program header; offsets and sizes in bytes. */
export interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}

export const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
export const SECTION_HEADER_SIZE = 64;

export const SegmentType = { load: 1, dynamic: 2, interpreter: 3 } as const;

const MACHINES: Readonly<Record<Architecture, number>> = { x86_64: 62, arm64: 183 };
const EXECUTABLE_TYPES: readonly number[] = [2, 3];

/**
 * @param cure what to do about a wrong file
 * @throws LayersError `NotElf` when the bytes are no complete 64-bit little-endian ELF program
 */
export function readElfHeader(
  bytes: Buffer,
  what: string,
  cure = 'check "binary.path" in runtime.json',
): ElfHeader {
  const fail = (fault: string): never => {
    throw new LayersError('NotElf', `${what} ${fault}; ${cure}`);
  };
  if (bytes.length < HEADER_SIZE || bytes.readUInt32BE(0) !== 0x7f454c46) {
    return fail('is not an ELF file');
  }
  if (bytes[4] !== 2) return fail('is not a 64-bit ELF file');
  if (bytes[5] !== 1) return fail('is not a little-endian ELF file');
  const type = bytes.readUInt16LE(16);
  if (!EXECUTABLE_TYPES.includes(type)) return fail(`is not an executable (ELF type ${type})`);
  const programOffset = Number(bytes.readBigUInt64LE(32));
  const programCount = bytes.readUInt16LE(56);
  const programEnd = programOffset + programCount * PROGRAM_HEADER_SIZE;
  if (programEnd > bytes.length) return fail('is cut off');
  const segments = Array.from({ length: programCount }, (_, index) =>
    readSegment(bytes, programOffset + index * PROGRAM_HEADER_SIZE),
  );
  if (segments.some((segment) => segment.offset + segment.fileSize > bytes.length)) {
    return fail('is cut off');
  }
  const sectionOffset = Number(bytes.readBigUInt64LE(40));
  const sectionCount = bytes.readUInt16LE(60);
  const sectionNamesIndex = bytes.readUInt16LE(62);
  if (sectionOffset + sectionCount * SECTION_HEADER_SIZE > bytes.length) return fail('is cut off');
  if (sectionCount > 0 && sectionNamesIndex >= sectionCount) return fail('is malformed');
  return {
    type,
    machine: bytes.readUInt16LE(18),
    sectionOffset,
    sectionCount,
    sectionNamesIndex,
    programEnd,
    segments,
  };
}

/**
 * @param cure what to do about a wrong file
 * @throws LayersError `WrongArchitecture`
 */
export function assertMachine(
  header: ElfHeader,
  architecture: Architecture,
  what: string,
  cure = 'check "packages" in runtime.json',
): void {
  if (header.machine === MACHINES[architecture]) return;
  const known = Object.entries(MACHINES).find(([, machine]) => machine === header.machine)?.[0];
  throw new LayersError(
    'WrongArchitecture',
    `${what} is built for ${known ?? `ELF machine ${header.machine}`}, not for ${architecture}; ${cure}`,
  );
}

/**
 * Reads a program or library that a runtime's folder holds for an architecture.
 *
 * @throws LayersError `NotElf`, `WrongArchitecture`
 */
export function readOwnElf(bytes: Buffer, architecture: Architecture, file: string): ElfHeader {
  const cure = 'build it for that architecture';
  const header = readElfHeader(bytes, file, cure);
  assertMachine(header, architecture, file, cure);
  return header;
}

/**
 * What reading a program gives, whose tables may point outside the file.
 *
 * @throws LayersError `NotElf`, and what `read` throws but for RangeErrors
 */
export function readingElf<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name !== 'RangeError') throw cause;
    throw new LayersError('NotElf', `${what} is malformed: ${message}; get it anew`, { cause });
  }
}

function readSegment(bytes: Buffer, at: number): Segment {
  return {
    type: bytes.readUInt32LE(at),
    offset: Number(bytes.readBigUInt64LE(at + 8)),
    address: Number(bytes.readBigUInt64LE(at + 16)),
    fileSize: Number(bytes.readBigUInt64LE(at + 32)),
  };
}
