import { once } from 'node:events';
import type { Post } from '../fake-runtime-api';
import { type AskedClient, alive, ends, invoke, MEGABYTE } from './asked-client';

/** Lambda's own way to answer in pieces: the handler's body gets `event` and `stream`. */
const streaming = (body: string) => `
  import { Readable } from 'node:stream';
  import { pipeline } from 'node:stream/promises';
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  export const handler = awslambda.streamifyResponse(async (event, stream) => {
    if (event.last) { stream.write('well'); return stream.end(); }
    ${body}
  });`;

/** Answers in pieces. */
export function askForPieces({ row, start }: AskedClient): void {
  const errorOf = (post: Post) =>
    post.path.endsWith('error')
      ? post.body
      : Buffer.from(post.trailers['lambda-runtime-function-error-body'] ?? '', 'base64').toString();

  row('`awslambda.streamifyResponse`: chunked, content type, sent as it comes', async () => {
    const layer = await start(
      streaming(`
        stream.setContentType('text/plain; charset=utf-8');
        stream.write('zwei ü '); await wait(300); stream.write(new Uint8Array([51])); stream.end();`),
    );
    const { request, response } = await alive(layer, layer.api.open({}));
    expect(request.headers).toMatchObject({
      'lambda-runtime-function-response-mode': 'streaming',
      'transfer-encoding': 'chunked',
      'content-type': 'text/plain; charset=utf-8',
    });
    const [first] = await once(request, 'data');
    const begun = performance.now();
    const [last] = await once(request, 'data');
    expect(performance.now() - begun).toBeGreaterThan(150);
    expect(`${first}${last}`).toBe('zwei ü 3');
    response.writeHead(202).end();
  });

  row('… piping, returning early, an end before the handler’s', async () => {
    const layer = await start(
      streaming(`
        if (event.early) { stream.write('all'); stream.end(); return wait(2000); }
        const source = Readable.from((async function* () {
          for (let part = 0; part < 5; part++) { await wait(20); yield 'part ' + part + ' '; }
        })());
        if (event.pipe) source.pipe(stream);
        else await pipeline(source, stream);`),
    );
    for (const pipe of [true, false]) {
      expect((await invoke(layer, { pipe })).body).toBe('part 0 part 1 part 2 part 3 part 4 ');
    }
    const { request, response } = await alive(layer, layer.api.open({ early: true }));
    const begun = performance.now();
    request.resume();
    await once(request, 'end');
    expect(performance.now() - begun).toBeLessThan(1500);
    response.writeHead(202).end();
  });

  row('`awslambda.HttpResponseStream.from`', async () => {
    const layer = await start(
      streaming(`
        const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201, cookies: ['a'] });
        http.write('<p>');
        http.end();`),
    );
    const post = await invoke(layer, {});
    expect(post.headers['content-type']).toContain('http-integration-response');
    expect(post.body).toBe(`{"statusCode":201,"cookies":["a"]}${'\0'.repeat(8)}<p>`);
  });

  row('back-pressure: `write`, `drain`, a generator that waits', async () => {
    const layer = await start(
      streaming(`
        const piece = new Uint8Array(${MEGABYTE}).fill(120);
        for (let count = 0; count < 40; count++) {
          if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', resolve));
          if (count === 20) console.log('half of it');
        }
        stream.end();`),
    );
    const { request, response } = await alive(layer, layer.api.open({}));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(layer.log).not.toContain('half of it');
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    response.writeHead(202).end();
    expect(bytes).toBe(40 * MEGABYTE);
  });

  row('20 MB in 200,000 pieces', async () => {
    const layer = await start(
      streaming(`
        await pipeline(async function* () {
          for (let line = 0; line < 200_000; line++) yield 'line ' + line + ' '.repeat(90) + '\\n';
        }, stream);`),
    );
    const { body } = await invoke(layer, {});
    const lines = Array.from({ length: 200_000 }, (_, line) => `line ${line}${' '.repeat(90)}\n`);
    expect(body === lines.join('')).toBe(true);
  });

  row('an error before the first piece; after it, in trailers', async () => {
    const layer = await start(
      streaming(`
        if (event.write) stream.write('begun ');
        if (event.pipe) {
          await pipeline(async function* () { yield 'begun '; throw new TypeError('oh'); }, stream);
        }
        throw new TypeError('oh');`),
    );
    for (const event of [{}, { write: true }, { pipe: true }]) {
      const error = JSON.parse(errorOf(await invoke(layer, event)));
      expect(error).toMatchObject({ errorType: 'TypeError', errorMessage: 'oh' });
      expect((await invoke(layer, { last: true })).body).toBe('well');
    }
  });

  row('… that nothing caught, or a stream that can never end', async () => {
    for (const late of ['setTimeout(() => { throw new RangeError("escaped"); }, 20);', '']) {
      const layer = await start(streaming(`stream.write('begun '); ${late}`));
      const { request, response } = await alive(layer, layer.api.open({}));
      request.on('error', () => {}).on('end', () => response.writeHead(202).end());
      request.resume();
      await ends(layer);
      expect(request.closed).toBe(true);
      await layer.stop();
    }
  });

  row('client gone: the source is told to end, the next event is answered', async () => {
    const layer = await start(
      streaming(`
        const source = async function* () {
          try { for (;;) { yield 'tick '; await wait(10); } } finally { console.log('source ended'); }
        };
        await pipeline(source, stream);`),
    );
    const { request } = await alive(layer, layer.api.open({}));
    await once(request, 'data');
    request.socket.resetAndDestroy();
    await layer.logged('source ended');
    const post = await invoke(layer, { last: true });
    // The failed one may still be reported.
    const answer = post.path.endsWith('error') ? await layer.api.nextPost() : post;
    expect(answer.body).toBe('well');
  });
}
