import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertGlibc } from '../../lib/layers/bases';
import {
  assertMachine,
  exportedSymbols,
  importedSymbols,
  neededGlibc,
  neededLibraries,
  readElfHeader,
  readingElf,
  stripElf,
} from '../../lib/layers/elf';
import { ARCHITECTURES, type Architecture } from '../../lib/release';
import { temporaryFolder } from '../temporary-folder';
import { elf, HOST, PROJECT, realLayer } from './fixtures';

const glibcOf = (bytes: Buffer, architecture: Architecture = 'x86_64') =>
  neededGlibc(bytes, readElfHeader(bytes, 'it'), architecture, 'it');

describe('reading an interpreter', () => {
  test.each([
    [['GLIBC_2.17', 'GLIBC_2.9'], '2.17'],
    [['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_PRIVATE'], '2.34'],
    [['GCC_3.0', 'GLIBC_2.4', 'GLIBCXX_3.4.21'], '2.4'],
    [['GLIBC_2.17', 'GLIBC_ABI_DT_RELR'], '2.36'],
  ])('%j needs glibc %s', (needs, expected) => {
    expect(glibcOf(elf({ needs }))).toBe(expected);
  });

  test('the newest glibc that fits the base passes', () => {
    expect(() => assertGlibc('2.34', ['provided.al2023'], 'it')).not.toThrow();
  });

  test.each(['2.35', '2.100', '3.0'])('fails when it needs glibc %s', (needed) => {
    expect(() => assertGlibc(needed, ['provided.al2023'], 'it')).toThrow(
      expect.objectContaining({ code: 'GlibcTooNew', message: expect.stringContaining('2.34') }),
    );
  });

  test('finds the libraries that it is loaded with', () => {
    const librariesOf = (bytes: Buffer) => neededLibraries(bytes, readElfHeader(bytes, 'it'));
    expect(librariesOf(elf())).toEqual([]);
    expect(librariesOf(elf({ libraries: ['libm.so.6', 'libc.so.6'] }))).toEqual([
      'libm.so.6',
      'libc.so.6',
    ]);
    const listed = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
    const found = librariesOf(readFileSync(process.execPath));
    expect(found).toContain('libc.so.6');
    for (const library of found) expect(listed).toContain(library);
  });

  test('finds what it takes from a library, and what a library has', async () => {
    const { folder } = await realLayer('node');
    const bytes = readFileSync(join(folder, 'bin/node'));
    const header = readElfHeader(bytes, 'it');
    const taken = importedSymbols(bytes, header, 'libatomic.so.1');
    expect(taken).toEqual(['__atomic_compare_exchange@LIBATOMIC_1.0']);
    expect(importedSymbols(bytes, header, 'libc.so.6')).toContainEqual(
      expect.stringMatching(/^memcpy@GLIBC_2\.\d+$/),
    );
    expect(importedSymbols(bytes, header, 'libnone.so.1')).toEqual([]);
    expect(exportedSymbols(bytes, header)).toContain('napi_create_function');
    for (const architecture of ARCHITECTURES) {
      const library = readFileSync(
        join(PROJECT, 'assets/runtimes/node/lib', architecture, 'libatomic.so.1'),
      );
      const itsHeader = readElfHeader(library, 'it');
      expect(() => assertMachine(itsHeader, architecture, 'it')).not.toThrow();
      expect(exportedSymbols(library, itsHeader)).toEqual(taken);
      expect(neededLibraries(library, itsHeader)).toEqual([]);
    }
  }, 120_000);

  test('fails when it is built for the other architecture', () => {
    const header = readElfHeader(elf({ machine: 183 }), 'it');
    expect(() => assertMachine(header, 'arm64', 'it')).not.toThrow();
    expect(() => assertMachine(header, 'x86_64', 'it')).toThrow(
      expect.objectContaining({
        code: 'WrongArchitecture',
        message: expect.stringContaining('built for arm64, not for x86_64'),
      }),
    );
  });

  test('fails when it asks for another C library', () => {
    expect(() => glibcOf(elf({ loader: '/lib/ld-musl-x86_64.so.1' }))).toThrow(
      expect.objectContaining({ code: 'NotGlibc', message: expect.stringContaining('ld-musl') }),
    );
  });

  const with32Bits = elf();
  with32Bits[4] = 1;
  const bigEndian = elf();
  bigEndian[5] = 2;
  const object = elf();
  object.writeUInt16LE(1, 16);
  test.each([
    ['a script', Buffer.from(`#!/bin/sh\n${'#'.repeat(100)}`), 'not an ELF file'],
    ['an empty file', Buffer.alloc(0), 'not an ELF file'],
    ['a 32-bit program', with32Bits, 'not a 64-bit'],
    ['a big-endian program', bigEndian, 'not a little-endian'],
    ['an object file', object, 'not an executable'],
    ['a program that breaks off', elf().subarray(0, 300), 'cut off'],
    ['a program without the end of its last table', elf().subarray(0, -1), 'cut off'],
  ])('fails for %s', (_, bytes, fault) => {
    expect(() => readElfHeader(bytes, 'it')).toThrow(
      expect.objectContaining({ code: 'NotElf', message: expect.stringContaining(fault) }),
    );
  });
});

test('a program whose tables lead nowhere is malformed', () => {
  const bytes = elf({ imports: ['extra'] });
  const header = readElfHeader(bytes, 'it');
  // The dynamic segment begins with the address of the hash table, which has the number of symbols.
  const [, , dynamic] = header.segments;
  const hashTable = Number(bytes.readBigUInt64LE(dynamic.offset + 8));
  expect(bytes.readUInt32LE(hashTable + 4)).toBe(2);
  bytes.writeUInt32LE(0x7fffffff, hashTable + 4);
  expect(() => readingElf('it', () => importedSymbols(bytes, header, 'libextra.so.2'))).toThrow(
    expect.objectContaining({ code: 'NotElf', message: expect.stringContaining('malformed') }),
  );
});

describe('stripping', () => {
  const strip = (bytes: Buffer) => stripElf(bytes, readElfHeader(bytes, 'it'));
  const sectionNames = (bytes: Buffer) => {
    const { sectionOffset, sectionCount, sectionNamesIndex } = readElfHeader(bytes, 'it');
    const at = (index: number) => sectionOffset + index * 64;
    const names = Number(bytes.readBigUInt64LE(at(sectionNamesIndex) + 24));
    return Array.from({ length: sectionCount }, (_, index) => {
      const start = names + bytes.readUInt32LE(at(index));
      return bytes.toString('latin1', start, bytes.indexOf(0, start));
    });
  };

  test('keeps what is loaded and drops the rest', () => {
    const original = elf();
    const stripped = strip(original);
    expect(sectionNames(stripped).join(' ')).toBe(
      ' .interp .dynstr .gnu.version_r .dynsym .hash .dynamic .text .shstrtab',
    );
    expect(stripped.includes('a compiler of long ago')).toBe(false);
    const { segments } = readElfHeader(stripped, 'it');
    expect(segments).toEqual(readElfHeader(original, 'it').segments);
    const loaded = segments[0]?.fileSize as number;
    expect(stripped.subarray(64, loaded)).toEqual(original.subarray(64, loaded));
    expect(glibcOf(stripped)).toBe('2.17');
  });

  test('changes nothing the second time', () => {
    const once = strip(elf());
    expect(strip(once).equals(once)).toBe(true);
  });

  test('leaves a program that still runs', () => {
    const original = readFileSync(process.execPath);
    const header = readElfHeader(original, 'node');
    assertMachine(header, HOST, 'node');
    const stripped = strip(original);
    const file = join(temporaryFolder(), 'node');
    writeFileSync(file, stripped, { mode: 0o755 });
    const sum = 'console.log(process.version, [1, 2, 3].reduce((a, b) => a + b))';
    expect(execFileSync(file, ['-e', sum], { encoding: 'utf8' })).toBe(`${process.version} 6\n`);
    expect(stripped.length).toBeLessThanOrEqual(original.length);
  });
});
