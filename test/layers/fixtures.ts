import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ssri from 'ssri';
import { create } from 'tar';
import { extractZip } from '../../lib/archive';
import { buildLayers } from '../../lib/layers/build';
import type { FetchTarball } from '../../lib/layers/download';
import { zipPath } from '../../lib/layers/manifests';
import { findRuntime, loadRuntimes, type Runtime } from '../../lib/layers/runtimes';
import { resolveLayers } from '../../lib/layers/specs';
import { pinnedVersions } from '../../lib/layers/versions';
import type { Architecture, LayerManifest } from '../../lib/release';
import { temporaryFolder } from '../temporary-folder';

export const PROJECT = resolve(__dirname, '../..');

/** Lambda's word for the processor that runs the tests. */
export const HOST: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';

// Child processes and real interpreters take longer than jest's five seconds on a busy machine.
jest.setTimeout(60_000);

export function writeFiles(folder: string, files: Record<string, string | Buffer>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** An npm tarball with files below `package/`. */
export async function tarballOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const folder = temporaryFolder();
  writeFiles(join(folder, 'package'), files);
  const chunks: Buffer[] = [];
  for await (const chunk of create({ cwd: folder, gzip: true }, ['package'])) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function integrityOf(tarball: Buffer): string {
  return ssri.fromData(tarball, { algorithms: ['sha512'] }).toString();
}

export interface FixtureRuntime {
  readonly root: string;
  readonly runtimes: Runtime[];
  readonly fetchTarball: FetchTarball;
}

/** A runtime folder `tiny` whose packages are served from memory. */
export async function fixtureRuntime(
  folder: string,
  options: {
    readonly packages?: Partial<Record<Architecture, Record<string, string | Buffer>>>;
    readonly settings?: Record<string, unknown>;
    readonly files?: Record<string, string | Buffer>;
    /** Files that the folder shall lack. */
    readonly without?: readonly string[];
  } = {},
): Promise<FixtureRuntime> {
  const contents = {
    arm64: { 'bin/tiny': elf({ machine: 183 }), LICENSE: 'Free.\n' },
    x86_64: { 'bin/tiny': elf({ machine: 62 }), LICENSE: 'Free.\n' },
    ...options.packages,
  };
  const arm64 = await tarballOf(contents.arm64);
  const x86_64 = await tarballOf(contents.x86_64);
  const settings = {
    description: 'Tiny {version}',
    license: 'MIT',
    compatibleRuntimes: ['provided.al2023'],
    revision: 1,
    packages: { arm64: 'tiny-arm64', x86_64: 'tiny-x64' },
    binary: { path: 'bin/tiny', name: 'tiny', strip: true },
    licenseFile: { from: 'package', path: 'LICENSE' },
    shim: 'shim.js',
    example: { handler: 'main.handler', memoryMb: 128 },
    versions: { '1.0.0': { arm64: integrityOf(arm64), x86_64: integrityOf(x86_64) } },
    ...options.settings,
  };
  writeFiles(join(folder, 'tiny'), {
    'runtime.json': JSON.stringify(settings),
    bootstrap: '#!/bin/sh\nexec tiny\n',
    'shim.js': 'run();\n',
    ...options.files,
  });
  for (const file of options.without ?? []) rmSync(join(folder, 'tiny', file), { force: true });
  const tarballs: Record<string, Buffer> = { 'tiny-arm64': arm64, 'tiny-x64': x86_64 };
  const fetchTarball = async (source: { package: string }) => tarballs[source.package] as Buffer;
  return { root: folder, runtimes: loadRuntimes(folder), fetchTarball };
}

/** The one layer of a fixture runtime. */
export function tinySpec(runtimes: readonly Runtime[], architecture: Architecture = 'x86_64') {
  const selection = { name: 'tiny', versions: ['1.0.0'], architectures: [architecture] };
  const [spec] = resolveLayers({ runtimes: [selection] }, runtimes);
  if (!spec) throw new Error('no spec');
  return spec;
}

export interface ElfOptions {
  /** @default 62, x86_64 */
  readonly machine?: number;
  readonly loader?: string;
  /** Version names that libc.so.6 has to have. */
  readonly needs?: readonly string[];
  /** Shared libraries to be loaded with. @default - none */
  readonly libraries?: readonly string[];
  /** Symbols without a version that it takes from its libraries. @default - none */
  readonly imports?: readonly string[];
  /** Symbols without a version that it has for others. @default - none */
  readonly exports?: readonly string[];
  /** Bytes of the program that the loader would map. */
  readonly payload?: Buffer;
}

/** A small but well-formed program: three segments, a dynamic section, symbols and a comment. */
export function elf(options: ElfOptions = {}): Buffer {
  const machine = options.machine ?? 62;
  const loader =
    options.loader ??
    (machine === 62 ? '/lib64/ld-linux-x86-64.so.2' : '/lib/ld-linux-aarch64.so.1');
  const needs = options.needs ?? ['GLIBC_2.17', 'GLIBC_2.9'];
  const { libraries = [], imports = [], exports = [] } = options;
  const names = [...needs, ...libraries, ...imports, ...exports];
  const strings = Buffer.from(`\0libc.so.6\0${names.join('\0')}\0`);

  const parts: { name: string; at: number; content: Buffer }[] = [];
  let end = 64 + 3 * 56;
  const add = (name: string, content: Buffer) => {
    const at = Math.ceil(end / 8) * 8;
    parts.push({ name, at, content });
    end = at + content.length;
    return at;
  };
  const loaderAt = add('.interp', Buffer.from(`${loader}\0`));
  const stringsAt = add('.dynstr', strings);
  const needsAt = add('.gnu.version_r', versionNeeds(needs));
  const nameAt = (name: string) => strings.indexOf(`\0${name}\0`) + 1;
  const symbols = [...imports, ...exports].map((name) => [nameAt(name), exports.includes(name)]);
  const symbolsAt = add('.dynsym', symbolTable(symbols as [number, boolean][]));
  const hashAt = add('.hash', Buffer.from(Uint32Array.of(0, symbols.length + 1).buffer));
  const tables = [4, hashAt, 5, stringsAt, 6, symbolsAt, 0x6ffffffe, needsAt, 0x6fffffff, 1, 0, 0];
  const needed = libraries.flatMap((library) => [1, nameAt(library)]);
  const tags = [...needed, ...tables].map(BigInt);
  const dynamicAt = add('.dynamic', Buffer.from(BigUint64Array.from(tags).buffer));
  add('.text', options.payload ?? Buffer.from('program bytes'));
  const loaded = end;
  const allocated = parts.length;
  add('.comment', Buffer.from('a compiler of long ago\0'));
  add('.symtab', Buffer.alloc(480, 7));
  const sectionNames = `\0${[...parts.map(({ name }) => name), '.shstrtab'].join('\0')}\0`;
  const namesAt = add('.shstrtab', Buffer.from(sectionNames));
  const tableAt = Math.ceil(end / 8) * 8;

  const bytes = Buffer.alloc(tableAt + (parts.length + 1) * 64);
  for (const { at, content } of parts) content.copy(bytes, at);
  bytes.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  bytes.writeUInt16LE(3, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeBigUInt64LE(BigInt(tableAt), 40);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(3, 56);
  bytes.writeUInt16LE(64, 58);
  bytes.writeUInt16LE(parts.length + 1, 60);
  bytes.writeUInt16LE(parts.length, 62);
  segment(bytes, 0, 1, 0, loaded);
  segment(bytes, 1, 3, loaderAt, loader.length + 1);
  segment(bytes, 2, 2, dynamicAt, tags.length * 8);
  parts.forEach(({ name, at, content }, index) => {
    const header = tableAt + (index + 1) * 64;
    bytes.writeUInt32LE(sectionNames.indexOf(name), header);
    bytes.writeUInt32LE(name === '.shstrtab' ? 3 : 1, header + 4);
    bytes.writeBigUInt64LE(index < allocated ? 2n : 0n, header + 8);
    bytes.writeBigUInt64LE(BigInt(at), header + 24);
    bytes.writeBigUInt64LE(BigInt(content.length), header + 32);
  });
  if (parts.at(-1)?.at !== namesAt) throw new Error('names come last');
  return bytes;
}

/** The first Elf64_Sym, which is nobody's, and a global function each. */
function symbolTable(symbols: readonly [name: number, defined: boolean][]): Buffer {
  const bytes = Buffer.alloc((symbols.length + 1) * 24);
  symbols.forEach(([name, defined], index) => {
    const at = (index + 1) * 24;
    bytes.writeUInt32LE(name, at);
    bytes.writeUInt8(0x12, at + 4);
    bytes.writeUInt16LE(defined ? 1 : 0, at + 6);
  });
  return bytes;
}

/** Elf64_Verneed of libc.so.6 with one Elf64_Vernaux a name. */
function versionNeeds(names: readonly string[]): Buffer {
  const bytes = Buffer.alloc(16 + names.length * 16);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(names.length, 2);
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(16, 8);
  let nameAt = 1 + 'libc.so.6'.length + 1;
  names.forEach((name, index) => {
    const at = 16 + index * 16;
    bytes.writeUInt32LE(nameAt, at + 8);
    bytes.writeUInt32LE(index === names.length - 1 ? 0 : 16, at + 12);
    nameAt += name.length + 1;
  });
  return bytes;
}

function segment(bytes: Buffer, index: number, type: number, at: number, size: number): void {
  const header = 64 + index * 56;
  bytes.writeUInt32LE(type, header);
  bytes.writeBigUInt64LE(BigInt(at), header + 8);
  bytes.writeBigUInt64LE(BigInt(at), header + 16);
  bytes.writeBigUInt64LE(BigInt(size), header + 32);
}

export interface BuiltLayer {
  readonly manifest: LayerManifest;
  readonly zip: string;
  /** The layer's tree, as at `/opt`. */
  readonly folder: string;
}

const realLayers = new Map<string, Promise<BuiltLayer>>();

/**
 * A real layer for this processor, unpacked: of the newest version that is pinned, or of the one that
 * RUNTIME_VERSION names. Built once into the project's own output folder, so that test files and later
 * runs share it.
 */
export function realLayer(name: string): Promise<BuiltLayer> {
  const layer = realLayers.get(name) ?? buildRealLayer(name);
  realLayers.set(name, layer);
  return layer;
}

async function buildRealLayer(name: string): Promise<BuiltLayer> {
  const runtimes = loadRuntimes();
  const [newest] = pinnedVersions(findRuntime(name, runtimes));
  const versions = [process.env.RUNTIME_VERSION ?? newest];
  const selection = { name, versions, architectures: [HOST] };
  const specs = resolveLayers({ runtimes: [selection] }, runtimes);
  const outDir = join(PROJECT, 'dist/layers');
  const [manifest] = await buildLayers({ specs, outDir });
  if (!manifest) throw new Error(`no layer of ${name}`);
  const folder = temporaryFolder();
  await extractZip(zipPath(manifest, outDir), folder);
  return { manifest, zip: zipPath(manifest, outDir), folder };
}

/** Runs TypeScript in another Node.js, umask, time zone and folder. */
export async function runScript(
  script: string,
  options: {
    readonly node?: string;
    readonly cwd?: string;
    readonly umask?: string;
    readonly timeZone?: string;
  } = {},
): Promise<string> {
  const register = `require(${JSON.stringify(join(PROJECT, 'node_modules/ts-node'))}).register({ dir: ${JSON.stringify(PROJECT)} });`;
  const { stdout } = await promisify(execFile)(
    'sh',
    [
      '-c',
      `umask ${options.umask ?? '022'} && exec "$0" -e "$1"`,
      options.node ?? process.execPath,
      `${register}${script}`,
    ],
    { cwd: options.cwd ?? PROJECT, env: { ...process.env, TZ: options.timeZone ?? 'UTC' } },
  );
  return stdout.trim();
}
