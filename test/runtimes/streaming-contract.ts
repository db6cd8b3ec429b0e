import { once } from 'node:events';
import { FakeRuntimeApi, type OpenPost, type Post } from './fake-runtime-api';
import { layerStarter, type RunningLayer, type RuntimeDialect } from './running-layer';

const MEGABYTE = 1024 * 1024;
const TYPE = 'lambda-runtime-function-error-type';
const BODY = 'lambda-runtime-function-error-body';

/** A handler that streams: its body gets `event`, `stream` and `context`. */
const streaming = (body: string) => `
  import { Readable } from 'node:stream';
  import { pipeline } from 'node:stream/promises';
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
    ${body}
  });`;

/** What every runtime does for an answer in pieces. */
export function describeStreamingContract(dialect: RuntimeDialect): void {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());
  /** The next invocation goes well. */
  const goesOn = async ({ api }: RunningLayer) => {
    expect((await api.invoke({ last: true })).body).toBe('well');
  };
  const trailerOf = ({ trailers }: Pick<Post, 'trailers'>) => ({
    header: trailers[TYPE],
    ...JSON.parse(Buffer.from(trailers[BODY] ?? '', 'base64').toString()),
  });
  const WELL = "if (event.last) return stream.end('well');";

  describe('a streaming handler', () => {
    test('sends its pieces as they come, chunked, and the echo of the invocation id', async () => {
      const { api } = await start(
        streaming(`
          stream.setContentType('text/plain; charset=utf-8');
          for (const word of ['one ', 'zwei ü ', new Uint8Array([51]), { four: 4 }]) {
            stream.write(word);
            await wait(20);
          }
          stream.end(context.awsRequestId);`),
      );
      const header = { 'Lambda-Runtime-Invocation-Id': 'inv-9' };
      for (const id of ['1', '2']) {
        const post = await api.invoke({}, header);
        expect(post.path).toBe(`/invocation/${id}/response`);
        expect(post.body).toBe(`one zwei ü 3{"four":4}${id}`);
        expect(post.headers).toMatchObject({
          'lambda-runtime-function-response-mode': 'streaming',
          'transfer-encoding': 'chunked',
          'content-type': 'text/plain; charset=utf-8',
          'lambda-runtime-invocation-id': 'inv-9',
        });
        expect(post.trailers).toEqual({});
      }
      expect(api.connections.size).toBeLessThanOrEqual(2);
    });

    test('is heard before it has ended', async () => {
      const { api } = await start(
        streaming(`stream.write('first'); await wait(300); stream.end('last');`),
      );
      const { request, response } = await api.open({});
      const [first] = await once(request, 'data');
      const begun = performance.now();
      expect(String(first)).toBe('first');
      const [last] = await once(request, 'data');
      expect(String(last)).toBe('last');
      expect(performance.now() - begun).toBeGreaterThan(150);
      response.writeHead(202).end();
    });

    test('ends its answer when it says so, not when it returns', async () => {
      const { api } = await start(
        streaming(`stream.end('all'); await wait(event.wait); if (event.bad) throw event;`),
      );
      const { request, response } = await api.open({ wait: 2000, bad: true });
      const begun = performance.now();
      request.resume();
      await once(request, 'end');
      expect(performance.now() - begun).toBeLessThan(1500);
      response.writeHead(202).end();
      expect(await api.invoke({ wait: 0 })).toMatchObject({ body: 'all', trailers: {} });
    });

    test('may pipe, and may return before its source has ended', async () => {
      const { api } = await start(
        streaming(`
          const source = Readable.from((async function* () {
            for (let part = 0; part < 5; part++) { await wait(20); yield 'part ' + part + ' '; }
          })());
          if (event.pipe) source.pipe(stream);
          else await pipeline(source, stream);`),
      );
      for (const pipe of [true, false]) {
        expect((await api.invoke({ pipe })).body).toBe('part 0 part 1 part 2 part 3 part 4 ');
      }
    });

    test('sends the metadata of an HTTP response before its body, even of an empty one', async () => {
      const { api } = await start(
        streaming(`
          const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201, cookies: ['a'] });
          if (event.body) http.write(event.body);
          http.end();`),
      );
      for (const body of ['<p>', '']) {
        const post = await api.invoke({ body });
        expect(post.headers['content-type']).toBe(
          'application/vnd.awslambda.http-integration-response',
        );
        expect(post.body).toBe(`{"statusCode":201,"cookies":["a"]}${'\0'.repeat(8)}${body}`);
      }
    });

    test('is made to wait by a slow reader, and told when to go on', async () => {
      const layer = await start(
        streaming(`
          const piece = new Uint8Array(${MEGABYTE}).fill(120);
          let waits = 0;
          for (let count = 0; count < 40; count++) {
            if (stream.write(piece)) continue;
            waits++;
            await new Promise((resolve) => stream.once('drain', resolve));
            if (count === 20) console.log('half of it, ' + stream.writableLength + ' waiting');
          }
          stream.end(' waits ' + waits);`),
      );
      const { request, response } = await layer.api.open({});
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(layer.log).not.toContain('half of it');
      let bytes = 0;
      let tail = '';
      for await (const chunk of request) {
        bytes += chunk.length;
        tail = chunk.subarray(-20).toString();
      }
      response.writeHead(202).end();
      expect(bytes).toBeGreaterThan(40 * MEGABYTE);
      expect(tail).toMatch(/ waits \d\d$/);
      await layer.logged('half of it, 0 waiting');
    });

    test('sends 20 MB in small pieces without a wrong byte', async () => {
      const { api } = await start(
        streaming(`
          await pipeline(async function* () {
            for (let line = 0; line < 200_000; line++) yield 'line ' + line + ' '.repeat(90) + '\\n';
          }, stream);`),
      );
      const { body } = await api.invoke({});
      const lines = Array.from({ length: 200_000 }, (_, line) => `line ${line}${' '.repeat(90)}\n`);
      expect(body === lines.join('')).toBe(true);
    });

    test('may write without waiting, however often', async () => {
      const { api } = await start(
        streaming(`for (let n = 0; n < 300_000; n++) stream.write('x'); stream.end('end');`),
      );
      expect((await api.invoke({})).body === `${'x'.repeat(300_000)}end`).toBe(true);
    });

    test('with nothing to send sends an empty answer', async () => {
      const { api } = await start(streaming('stream.end();'));
      expect(await api.invoke({})).toMatchObject({ path: '/invocation/1/response', body: '' });
    });
  });

  describe('an answer that is itself a stream', () => {
    test.each([
      ['an async generator', "(async function* () { yield 'a'; yield bytes; yield { c: 1 }; })()"],
      [
        'a web stream of bytes and text',
        `new ReadableStream({ start(c) {
          c.enqueue('a'); c.enqueue(bytes.buffer); c.enqueue(''); c.enqueue('{"c":1}'); c.close();
        } })`,
      ],
      ['a web stream’s body', 'new Response(\'aüb{"c":1}\').body'],
      ['a Node.js stream', "Readable.from(['a', bytes, '{\"c\":1}'])"],
    ])('%s is sent piece by piece', async (_, expression) => {
      const { api } = await start(`
        import { Readable } from 'node:stream';
        const bytes = new TextEncoder().encode('üb');
        export const handler = async () => ${expression};`);
      for (const id of ['1', '2']) {
        const post = await api.invoke({});
        expect(post.path).toBe(`/invocation/${id}/response`);
        expect(post.headers['lambda-runtime-function-response-mode']).toBe('streaming');
        expect(post.body).toBe('aüb{"c":1}');
      }
    });

    test('goes with others that are sent at once, and with pipelining', async () => {
      const { api } = await start(
        'export const handler = ({ n }) => n % 2 ? (async function* () { yield String(n); })() : n;',
        { RUNTIME_API_PIPELINING: '1' },
      );
      for (const n of [1, 2, 3, 4, 6, 5]) expect((await api.invoke({ n })).body).toBe(`${n}`);
      expect(api.connections.size).toBeLessThanOrEqual(2);
    });

    test('that throws while it is told to end has failed with what went wrong before', async () => {
      const { api } = await start(`
        export const handler = () => ({
          [Symbol.asyncIterator]: () => ({
            next: async () => { throw new TypeError('first'); },
            return: () => { throw new RangeError('second'); },
          }),
        });`);
      for (const id of ['1', '2']) {
        const { path, body } = await api.invoke({});
        expect(path).toBe(`/invocation/${id}/error`);
        expect(JSON.parse(body).errorMessage).toBe('first');
      }
    });

    test('is asked for its next piece when the one before was taken', async () => {
      const layer = await start(`
        export async function* handler() {
          for (let count = 1; count <= 40; count++) {
            console.log('piece ' + count);
            yield new Uint8Array(${MEGABYTE});
          }
        }`);
      const { request, response } = await layer.api.open({});
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(layer.log).not.toContain('piece 20');
      let bytes = 0;
      for await (const chunk of request) bytes += chunk.length;
      response.writeHead(202).end();
      expect(bytes).toBe(40 * MEGABYTE);
    });
  });

  describe('an error', () => {
    const failing = streaming(`
      ${WELL}
      if (event.write) stream.write('begun ');
      if (event.pipe) {
        await pipeline(async function* () { yield 'begun '; throw new TypeError('oh ü'); }, stream);
      }
      if (event.destroy) return stream.destroy();
      throw new TypeError('oh ü');`);

    test('before the first piece is posted as one', async () => {
      const layer = await start(failing);
      const post = await layer.api.invoke({});
      expect(post.path).toBe('/invocation/1/error');
      expect(JSON.parse(post.body)).toMatchObject({ errorType: 'TypeError', errorMessage: 'oh ü' });
      await goesOn(layer);
    });

    test.each([[{ write: true }], [{ pipe: true }]])(
      'after the first piece travels in the trailers: %j',
      async (event) => {
        const layer = await start(failing);
        const post = await layer.api.invoke(event);
        expect(post).toMatchObject({ path: '/invocation/1/response', body: 'begun ' });
        expect(post.headers.trailer).toMatch(/Error-Type, .*Error-Body/);
        expect(trailerOf(post)).toMatchObject({
          header: 'Function.TypeError',
          errorType: 'TypeError',
          errorMessage: 'oh ü',
          stackTrace: expect.arrayContaining([expect.stringMatching(/^at /)]),
        });
        await goesOn(layer);
      },
    );

    test('is what a destroyed stream means', async () => {
      const layer = await start(failing);
      const post = await layer.api.invoke({ write: true, destroy: true });
      expect(trailerOf(post).errorType).toBe('Runtime.ResponseStreamDestroyed');
      await goesOn(layer);
    });

    test('too long for trailers is shortened: first its causes, then its frames, then its text', async () => {
      const layer = await start(`
        const deep = (levels, make) => levels > 0 ? [deep(levels - 1, make)][0] : make();
        export async function* handler({ last, cause, levels, text }) {
          if (last) return yield 'well';
          yield 'begun ';
          Error.stackTraceLimit = 100;
          deep(levels, () => {
            throw new RangeError('ü'.repeat(text), { cause: cause && new Error('y'.repeat(cause)) });
          });
        }`);
      const failure = async (event: object) => {
        const post = await layer.api.invoke(event);
        expect(JSON.stringify(post.trailers).length).toBeLessThan(4096);
        return trailerOf(post);
      };
      expect(await failure({ levels: 1, text: 9, cause: 9 })).toMatchObject({
        errorMessage: 'ü'.repeat(9),
        cause: { errorMessage: 'y'.repeat(9) },
      });
      const withoutCause = await failure({ levels: 1, text: 500, cause: 5000 });
      expect(withoutCause.cause).toBeUndefined();
      expect(withoutCause.errorMessage).toBe('ü'.repeat(500));
      const fewFrames = await failure({ levels: 80, text: 500 });
      expect(fewFrames.errorMessage).toBe('ü'.repeat(500));
      expect(fewFrames.stackTrace.length).toBeGreaterThan(1);
      const short = await failure({ levels: 1, text: 5000 });
      expect(short).toMatchObject({ header: 'Function.RangeError', errorType: 'RangeError' });
      expect(short.errorMessage).toMatch(/^ü{100,}…$/);
      await goesOn(layer);
    });

    test('of a generator, before and after its first piece', async () => {
      const layer = await start(`
        export async function* handler(event) {
          if (event.last) return yield 'well';
          if (event.write) yield 'begun ';
          if (event.bigint) yield { n: 1n };
          throw new RangeError('out');
        }`);
      expect((await layer.api.invoke({})).path).toBe('/invocation/1/error');
      const cases = [
        [{ write: true }, 'RangeError'],
        [{ write: true, bigint: true }, 'Runtime.MarshalError'],
      ] as const;
      for (const [event, errorType] of cases) {
        const post = await layer.api.invoke(event);
        expect(post.body).toBe('begun ');
        expect(trailerOf(post).errorType).toBe(errorType);
      }
      await goesOn(layer);
    });

    test.each([
      ['that nothing caught', 'setTimeout(() => { throw new RangeError("escaped"); }, 20);'],
      ['of a stream that can never end', ''],
    ])('%s ends the answer, then the process', async (_, code) => {
      const layer = await start(streaming(`stream.write('begun '); ${code}`));
      const post = await layer.api.invoke({});
      expect(post.body).toBe('begun ');
      expect(trailerOf(post).errorType).toBe(code ? 'RangeError' : 'Runtime.NeverSettled');
      expect(await layer.exited).toBe(1);
    });

    test.each([
      ["stream.write('x'); stream.setContentType('a/b');", 'Runtime.InvalidStreamingOperation'],
      ["stream.setContentType('a/b\\r\\nHost: c');", 'Runtime.InvalidStreamingOperation'],
      ['stream.write({ n: 1n });', 'Runtime.MarshalError'],
    ])('is what %s means', async (code, errorType) => {
      const layer = await start(streaming(`${code.replace(';', '; await wait(50);')}`));
      const post = await layer.api.invoke({});
      const error = post.path.endsWith('error') ? JSON.parse(post.body) : trailerOf(post);
      expect(error.errorType).toBe(errorType);
    });
  });

  describe('when nobody takes the answer any more', () => {
    const endings: [string, (post: OpenPost) => void][] = [
      ['a reset', ({ request }) => request.socket.resetAndDestroy()],
      ['a refusal', ({ response }) => response.writeHead(413).end('too much')],
      [
        'a refusal that closes',
        ({ response }) => response.writeHead(413, { Connection: 'close' }).end('too much'),
      ],
    ];

    test.each(endings)(
      'after %s a pipeline fails, and the next event is answered',
      async (_, end) => {
        const layer = await start(
          streaming(`
          ${WELL}
          const source = async function* () {
            try { for (;;) { yield 'tick '; await wait(10); } } finally { console.log('source ended'); }
          };
          await pipeline(source, stream);`),
        );
        const post = await layer.api.open({});
        await once(post.request, 'data');
        end(post);
        await goesOn(layer);
        await layer.logged('source ended');
        await layer.logged(/nobody takes the response any more|answered 413: too much/);
      },
    );

    test.each(endings)('after %s a silent source is told to end', async (_, end) => {
      const layer = await start(`
        export const handler = (event) => new ReadableStream({
          start(controller) {
            controller.enqueue('well');
            if (event.last) controller.close();
            else globalThis.timer = setTimeout(() => {}, 600_000);
          },
          cancel() { clearTimeout(timer); console.log('cancelled'); },
        });`);
      const post = await layer.api.open({});
      await once(post.request, 'data');
      end(post);
      await goesOn(layer);
      await layer.logged('cancelled');
    });

    test('a handler that does not listen is not ended by it', async () => {
      const layer = await start(
        streaming(
          `${WELL} stream.write('first'); await wait(300); stream.write('lost'); stream.end();`,
        ),
      );
      const post = await layer.api.open({});
      await once(post.request, 'data');
      post.request.socket.resetAndDestroy();
      await goesOn(layer);
    });

    test('a 500 ends the process', async () => {
      const layer = await start(streaming("stream.write('first'); await wait(300); stream.end();"));
      const { request, response } = await layer.api.open({});
      await once(request, 'data');
      response.writeHead(500).end();
      expect(await layer.exited).toBe(1);
    });
  });
}
