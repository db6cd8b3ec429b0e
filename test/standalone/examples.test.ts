import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalFunction } from '../../lib/invoke';

jest.setTimeout(60_000);

/** The answer of an example, on the runtime's real layer. */
async function answerOf(runtime: string, event: unknown, handler?: string): Promise<unknown> {
  return JSON.parse(await payloadOf(runtime, event, handler));
}

/** As `answerOf`, byte for byte. */
async function payloadOf(runtime: string, event: unknown, handler?: string): Promise<string> {
  const fn = await LocalFunction.create({ runtime, handler, memoryMb: 256 });
  try {
    return (await fn.invoke(JSON.stringify(event))).payload;
  } finally {
    await fn.close();
  }
}

describe('example functions', () => {
  test.each(['bun', 'deno'])('%s: echoes its event, and says what runs it', async (runtime) => {
    expect(await answerOf(runtime, { hello: 'world' })).toEqual({
      runtime,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      memoryMb: 256,
      event: { hello: 'world' },
    });
  });

  test('node: answers like an HTTP API with the version of Node.js', async () => {
    expect(await answerOf('node', {})).toMatchObject({
      statusCode: 200,
      nodeVersion: expect.stringMatching(/^v\d+\.\d+\.\d+$/),
    });
  });

  test.each(['deno', 'node'])(
    '%s: has a second handler with a vendored module',
    async (runtime) => {
      expect(await answerOf(runtime, { texts: ['a', ''] }, 'hashes.handler')).toEqual([
        'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      ]);
    },
  );

  test.each([
    ['bun', ''],
    ['deno', ''],
    [
      'node',
      `{"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"}}${'\0'.repeat(8)}`,
    ],
  ])('%s: has a handler that streams', async (runtime, prelude) => {
    const payload = await payloadOf(runtime, { to: 2 }, 'stream.handler');
    expect(payload).toBe(`${prelude}line 1 of 2\nline 2 of 2\n`);
  });
});

test.each(['bun', 'deno', 'node'])(
  '%s: the emulator takes an error of any length in the middle of an answer',
  async (runtime) => {
    const codeDir = mkdtempSync(join(tmpdir(), 'long-error-'));
    writeFileSync(
      join(codeDir, 'main.mjs'),
      `export async function* handler() { yield 'begun'; throw new Error('x'.repeat(100_000)); }`,
    );
    const fn = await LocalFunction.create({ runtime, codeDir, handler: 'main.handler' });
    try {
      for (const time of [1, 2]) {
        const { payload, log } = await fn.invoke(JSON.stringify({ time }));
        expect(payload).toBe('begun');
        expect(log).toContain('x'.repeat(100_000));
        expect(log).not.toContain('may have arrived');
      }
    } finally {
      await fn.close();
      rmSync(codeDir, { recursive: true, force: true });
    }
  },
);
