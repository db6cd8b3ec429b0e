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

  test.each([
    ["Couldn't find valid bootstrap(s)", {}],
    ['exec format error', { bootstrap: foreignProgram() }],
  ])('names "%s"', async (message, layer) => {
    expect(DOCS).toContain(`\`${message}`);
    const folder = mkdtempSync(join(scratch, 'layer-'));
    const codeDir = join(folder, 'code');
    mkdirSync(codeDir);
    for (const [name, content] of Object.entries(layer)) {
      writeFileSync(join(folder, name), content as Buffer, { mode: 0o755 });
    }
    const runner = await FunctionRunner.create();
    try {
      const { payload } = await runner.invoke(
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
      expect(errorMessage(payload)).toContain(message);
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
