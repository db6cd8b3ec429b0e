import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateRawSync } from 'node:zlib';
import { LayersError } from '../../lib/errors';
import { ensureCompressor } from '../../lib/layers/compressor';
import { deflateWith, libdeflate } from '../../lib/layers/deflate';
import { npmFetch } from '../../lib/layers/download';
import { ensureQemu } from '../../lib/rehearsal/tools/qemu';
import { temporaryFolder } from '../temporary-folder';
import { HOST, PROJECT, tarballOf } from './fixtures';

/** What compresses neither well nor badly: digits, and copies from further and further back. */
const content = Buffer.alloc(3 << 20);
for (let at = 0, state = 1; at < content.length; ) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  const length = 5 + (state >>> 27);
  if (state & 0x4000 && at > 70_000) {
    const from = at - 1 - (state % 65_536);
    content.copyWithin(at, from, from + length);
  } else {
    content.write(state.toString(35).repeat(6).slice(0, length), at, 'latin1');
  }
  at += length;
}

/** SHA-256 of what it becomes: where this changes, `ZIP_FORMAT` has to. */
const DEFLATED = '08b82dafe1dc84ac357b180bde71bd9fc738c5320279d8386f8612869301a03e';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A file that can be run in place of Bun. */
function program(text: string, mode = 0o755): string {
  const file = join(temporaryFolder(), 'bun');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** JavaScript that gets the content as `input`. */
const answering = (statement: string) =>
  program(`#!${process.execPath}
    const { deflateRawSync } = require('node:zlib');
    const input = require('node:fs').readFileSync(0);
    process.stdout.write(${statement});`);

const { XDG_CACHE_HOME } = process.env;
afterEach(() => {
  if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
});

describe('libdeflate gives the same bytes', () => {
  test('on this machine', async () => {
    const deflated = await libdeflate()(content);
    expect(inflateRawSync(deflated).equals(content)).toBe(true);
    expect(sha256(deflated)).toBe(DEFLATED);
  });

  // Where nothing emulates x86_64 the test above has the other architecture.
  (HOST === 'arm64' ? test.skip : test)('on the other architecture', async () => {
    const qemu = await ensureQemu(HOST, () => undefined);
    if ('why' in qemu) throw new Error(`${qemu.why}: ${qemu.cure}`);
    process.env.XDG_CACHE_HOME = temporaryFolder();
    const bun = await ensureCompressor(npmFetch(), 'linux-arm64');
    const emulated = program(`#!/bin/sh\nexec ${qemu.static} -L ${qemu.sysroot} ${bun} "$@"\n`);
    expect(sha256(await deflateWith(emulated, content))).toBe(DEFLATED);
  });
});

describe('a compressor is told of with a cure', () => {
  test.each([
    ['gives the content back', 'input'],
    ['gives nothing', '""'],
    ['stops early', 'deflateRawSync(input).subarray(0, -9)'],
    ['goes on after the end', 'Buffer.concat([deflateRawSync(input), Buffer.from("more")])'],
    ['loses the last byte', 'deflateRawSync(input.subarray(0, -1))'],
    ['changes a byte', 'deflateRawSync(input.fill(0, 2e6, 2e6 + 1))'],
  ])('that %s', async (_, statement) => {
    await expect(deflateWith(answering(statement), content)).rejects.toMatchObject({
      code: 'ZipFailed',
      message: expect.stringMatching(/bun gave back other bytes than it got; check /),
    });
  });

  test.each([
    ['is killed', 'kill -9 $$', /ended with SIGKILL; check that .* memory/],
    [
      'fails',
      'echo no such library >&2; exit 127',
      /ended with status 127: no such library; check/,
    ],
    ['fails late', 'cat >/dev/null; exit 1', /ended with status 1; check/],
  ])('that %s', async (_, command, message) => {
    const failing = deflateWith(program(`#!/bin/sh\n${command}\n`), content);
    await expect(failing).rejects.toMatchObject({ code: 'ZipFailed' });
    await expect(failing).rejects.toThrow(message);
  });

  test.each([
    ['may not be run', () => program('#!/bin/sh\n', 0o644), /EACCES; see what ".*bun --version"/],
    ['is not there', () => join(temporaryFolder(), 'bun'), /ENOENT; see what ".*bun --version"/],
  ])('that %s', async (_, path, message) => {
    const failing = deflateWith(path(), content);
    await expect(failing).rejects.toMatchObject({ code: 'ZipFailed' });
    await expect(failing).rejects.toThrow(message);
  });
});

test('a compressor sees nothing of the environment and nothing of the folder', async () => {
  const file = answering('deflateRawSync(input)');
  appendFileSync(file, 'if (process.env.HOME || process.cwd() !== __dirname) process.exit(1);');
  expect(inflateRawSync(await deflateWith(file, content)).equals(content)).toBe(true);
});

test('SIGTERM ends the compressor, too', async () => {
  const pidFile = join(temporaryFolder(), 'pid');
  const file = program(
    `#!/bin/sh\necho $$ > ${pidFile}.new\nmv ${pidFile}.new ${pidFile}\nexec sleep 100\n`,
  );
  const script = `
    require(${JSON.stringify(join(PROJECT, 'node_modules/ts-node'))}).register({ dir: ${JSON.stringify(PROJECT)} });
    const { deflateWith } = require(${JSON.stringify(join(PROJECT, 'lib/layers/deflate.ts'))});
    deflateWith(${JSON.stringify(file)}, Buffer.alloc(10));`;
  const child = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  while (!existsSync(pidFile)) await sleep(20);
  child.kill('SIGTERM');
  const [, endedBy] = await once(child, 'close');
  expect(endedBy).toBe('SIGTERM');
  const state = () => {
    try {
      return execFileSync('ps', ['-o', 'stat=', '-p', readFileSync(pidFile, 'utf8').trim()]);
    } catch {
      return undefined;
    }
  };
  for (let tries = 0; tries < 100 && state()?.toString().startsWith('S'); tries++) await sleep(20);
  expect(state()?.toString()[0]).not.toBe('S');
});

describe('the Bun that compresses', () => {
  const noFetch = async () => {
    throw new LayersError('DownloadFailed', '@oven/bun-x@1 could not be downloaded: no network');
  };

  test('is fetched once, and again where the cache is damaged', async () => {
    process.env.XDG_CACHE_HOME = temporaryFolder();
    const fetchTarball = jest.fn(npmFetch());
    const [file] = await Promise.all([
      ensureCompressor(fetchTarball),
      ensureCompressor(fetchTarball),
    ]);
    const whole = sha256(readFileSync(file));
    fetchTarball.mockClear();
    expect(await ensureCompressor(fetchTarball)).toBe(file);
    expect(fetchTarball).not.toHaveBeenCalled();
    appendFileSync(file, 'x');
    expect(await ensureCompressor(fetchTarball)).toBe(file);
    expect(fetchTarball).toHaveBeenCalledTimes(1);
    expect(sha256(readFileSync(file))).toBe(whole);
    expect(readdirSync(join(process.env.XDG_CACHE_HOME, 'lambda-runtime-layers'))).toHaveLength(1);
  });

  test('fails with what was to be fetched, and what for', async () => {
    process.env.XDG_CACHE_HOME = temporaryFolder();
    await expect(ensureCompressor(noFetch)).rejects.toMatchObject({
      code: 'DownloadFailed',
      message:
        "layers are compressed by Bun's libdeflate, whatever their runtime: @oven/bun-x@1 could not be downloaded: no network",
    });
  });

  test('fails for other bytes than the pinned ones', async () => {
    process.env.XDG_CACHE_HOME = temporaryFolder();
    const other = await tarballOf({ 'bin/bun': '#!/bin/sh\n' });
    await expect(ensureCompressor(async () => other, 'linux-x64-musl')).rejects.toMatchObject({
      code: 'IntegrityMismatch',
      message: expect.stringContaining('@oven/bun-linux-x64-musl-baseline@1.4.5'),
    });
    expect(readdirSync(process.env.XDG_CACHE_HOME)).toEqual([]);
  });

  test('fails where the cache cannot be written', async () => {
    process.env.XDG_CACHE_HOME = join(program(''), 'cache');
    await expect(ensureCompressor(npmFetch())).rejects.toMatchObject({
      code: 'WriteFailed',
      message: expect.stringContaining(process.env.XDG_CACHE_HOME),
    });
  });

  test('fails on a machine that it does not run on, before anything is fetched', async () => {
    await expect(ensureCompressor(noFetch, 'win32-x64')).rejects.toMatchObject({
      code: 'MachineNotSupported',
      message: expect.stringMatching(
        /linux-x64.*, and this is win32-x64; build them on one of these/,
      ),
    });
  });
});
