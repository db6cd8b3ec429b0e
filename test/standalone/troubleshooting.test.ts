import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LocalFunction } from '../../lib/invoke';
import { FunctionRunner } from '../../lib/rehearsal/functions';

jest.setTimeout(60_000);

const DOCS = readFileSync(resolve(__dirname, '../../docs/standalone.md'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'troubleshooting-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Options {
  readonly handler?: string;
  readonly timeoutSeconds?: number;
}

/** The message of a function that fails. */
async function messageOf(source: string, options: Options = {}): Promise<string> {
  const codeDir = mkdtempSync(join(scratch, 'code-'));
  writeFileSync(join(codeDir, 'mod.ts'), source);
  const fn = await LocalFunction.create({ runtime: 'deno', codeDir, ...options });
  try {
    return errorMessage((await fn.invoke('{}')).payload);
  } finally {
    await fn.close();
  }
}

function errorMessage(payload: string): string {
  const { errorType, errorMessage } = JSON.parse(payload);
  return `${errorType}: ${errorMessage}`;
}

/** Each message stands in the docs, with cause and cure, as a function really fails with it. */
describe('troubleshooting in the docs', () => {
  const handler = 'export const handler = () => 1;';

  test.each<[message: string, source: string, options?: Options]>([
    ['no file for handler', handler, { handler: 'main.handler' }],
    ['exports no function', handler, { handler: 'mod.main' }],
    ['is not <file>.<function>', handler, { handler: 'mod' }],
    ['npm specifiers were requested; but --no-npm is specified', "import 'npm:ms@2';"],
    ['--cached-only is specified', "import 'https://deno.land/x/x/mod.ts';"],
    ['Read-only file system', "Deno.writeTextFileSync('/var/task/x', '');"],
    [
      'Task timed out',
      'await new Promise((end) => setTimeout(end, 60_000));',
      { timeoutSeconds: 1 },
    ],
  ])('names "%s"', async (message, source, options = {}) => {
    expect(DOCS).toContain(`\`${message}`);
    expect(await messageOf(source, options)).toContain(message);
  });

  test.each<[message: string, bootstrap: Buffer | undefined, mode?: number]>([
    ["Couldn't find valid bootstrap(s)", undefined],
    ['exec format error', foreignProgram()],
    ['bootstrap: permission denied', Buffer.from('#!/bin/sh\n'), 0o644],
    // The loader's own message goes to the log; the number is the program's.
    ['version `GLIBC_', programFor('GLIBC_9.99')],
  ])('names "%s"', async (message, bootstrap, mode = 0o755) => {
    expect(DOCS).toContain(`\`${message}`);
    const folder = mkdtempSync(join(scratch, 'layer-'));
    const codeDir = join(folder, 'code');
    mkdirSync(codeDir);
    if (bootstrap) writeFileSync(join(folder, 'bootstrap'), bootstrap, { mode });
    const runner = await FunctionRunner.create();
    try {
      const { payload, log } = await runner.invoke(
        {
          functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
          handler: 'mod.handler',
          architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
          codeDir,
          layerDirs: [folder],
          memoryMb: 128,
          timeoutSeconds: 10,
          environment: {},
        },
        '{}',
      );
      expect(`${errorMessage(payload)}\n${log}`).toContain(message);
    } finally {
      await runner.close();
    }
  });
});

test('the narrower bootstrap of the docs runs a function, with fewer permissions', async () => {
  const [, bootstrap] = /```bash\n(#!\/bin\/sh\n[\s\S]+?)```/.exec(DOCS) ?? [];
  const codeDir = mkdtempSync(join(scratch, 'code-'));
  writeFileSync(join(codeDir, 'bootstrap'), bootstrap ?? '', { mode: 0o755 });
  const read = (file: string) => `reads('${file}')`;
  writeFileSync(
    join(codeDir, 'mod.ts'),
    `const reads = (file) => {
      try { Deno.readTextFileSync(file); return true; } catch (error) { return error.name; }
    };
    export const handler = () => [${read('/var/task/mod.ts')}, ${read('/etc/passwd')}];`,
  );
  const fn = await LocalFunction.create({ runtime: 'deno', codeDir });
  try {
    expect((await fn.invoke('{}')).payload).toBe('[true,"NotCapable"]');
  } finally {
    await fn.close();
  }
});

/** The start of a program for the processor that this machine does not have. */
function foreignProgram(): Buffer {
  const program = Buffer.alloc(64);
  program.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  program.writeUInt16LE(2, 16);
  program.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18);
  return program;
}

/** A program of this machine, changed so that it asks for a glibc that nobody has. */
function programFor(version: string): Buffer {
  const program = readFileSync('/bin/true');
  const needed = program.toString('latin1').match(/GLIBC_2\.\d\d(?!\d|\.)/g) ?? [];
  for (const name of new Set(needed)) {
    replaceAll(program, Buffer.from(`${name}\0`), Buffer.from(`${version}\0`));
    replaceAll(program, elfHash(name), elfHash(version));
  }
  return program;
}

function replaceAll(bytes: Buffer, from: Buffer, to: Buffer): void {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) to.copy(bytes, at);
}

/** The hash by which a program names a version, as the System V ABI defines it. */
function elfHash(name: string): Buffer {
  let hash = 0n;
  for (const byte of Buffer.from(name)) {
    hash = (hash << 4n) + BigInt(byte);
    const high = hash & 0xf0000000n;
    hash = (hash ^ (high >> 24n)) & ~high & 0xffffffffn;
  }
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Number(hash));
  return bytes;
}
