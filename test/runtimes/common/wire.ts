import { ACCEPTED, eventResponse, NEXT } from '../raw-runtime-api';
import {
  type AskedClient,
  ECHO,
  ends,
  expectRaw,
  give,
  goesOn,
  MEGABYTE,
  postsOf,
  refusal,
  settles,
  takeAnswer,
  takePosts,
  USUAL,
  USUAL_LINES,
} from './asked-client';

/** What becomes of a Runtime API’s bytes, and of connections that fail. */
export function askForTheWire({ row, startRaw }: AskedClient): void {
  const logging = 'export const handler = async () => console.log("handler ran");';

  row('a response byte by byte', async () => {
    const layer = await startRaw(ECHO);
    for (const id of ['a', 'b']) {
      const next = await expectRaw(layer, NEXT);
      await next.replyByteByByte(eventResponse(id, { ä: '€😀' }, USUAL));
      const answer = await expectRaw(layer, `POST /invocation/${id}/response`);
      expect(JSON.parse(answer.body)).toEqual({ ä: '€😀' });
      await answer.replyByteByByte(ACCEPTED);
    }
  });

  row('chunked, interim responses, header names in any case', async () => {
    const layer = await startRaw(ECHO);
    (await expectRaw(layer, NEXT)).reply(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nLAMBDA-runtime-aws-REQUEST-id:\tx \r\n' +
        `${USUAL_LINES.toLowerCase().replace('root=', 'Root=')}transfer-ENCODING: Chunked\r\n\r\n` +
        '2;a="b"\r\n{}\r\n1\r\n \r\n000\r\nTrailer: 1\r\n\r\n',
    );
    expect(JSON.parse((await takeAnswer(layer, 'x')).body)).toEqual({});
  });

  row('a body that ends with its connection, `Connection: close`', async () => {
    const layer = await startRaw(ECHO);
    (await expectRaw(layer, NEXT)).socket.end(
      `HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: x\r\n${USUAL_LINES}\r\n{"a":1}`,
    );
    const answer = await expectRaw(layer, 'POST /invocation/x/response');
    expect(answer.body).toBe('{"a":1}');
    answer.socket.end('HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    await goesOn(layer, 'y');
  });

  row('long header fields, 6 MB in and out, a slow reader', async () => {
    const layer = await startRaw(ECHO);
    const event = 'ü😀x'.repeat((6 * MEGABYTE) / 7);
    // Lambda's own limit is half of that.
    const long = JSON.stringify({ custom: { long: 'l'.repeat(7000) } });
    const next = await expectRaw(layer, NEXT);
    next.reply(eventResponse('x', event, { ...USUAL, 'Lambda-Runtime-Client-Context': long }));
    next.socket.pause();
    setTimeout(() => next.socket.resume(), 300);
    expect((await takeAnswer(layer, 'x')).body === JSON.stringify(event)).toBe(true);
  });

  row('400, 403, 410, 413 to an answer: logged, nothing else posted, goes on', async () => {
    for (const status of [400, 403, 410, 413]) {
      const layer = await startRaw(ECHO);
      give(await expectRaw(layer, NEXT), 'x', {});
      const answer = await expectRaw(layer, 'POST /invocation/x/response');
      answer.reply(refusal(status));
      await goesOn(layer, 'y');
      const posts = ['POST /invocation/x/response', 'POST /invocation/y/response'];
      expect(postsOf(layer)).toEqual(posts);
      await layer.logged(/./);
      await layer.stop();
    }
  });

  row('413 while the answer is still being sent', async () => {
    const layer = await startRaw(`
      export const handler = async (event) => event === 1 ? 'x'.repeat(8 * ${MEGABYTE}) : event;`);
    const next = await expectRaw(layer, NEXT);
    next.socket.pause();
    give(next, 'x', 1);
    // A client that takes another connection for it gets it sent.
    const post = layer.api.next();
    const stuck = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 2500));
    const { socket } = (await Promise.race([post, stuck])) ?? next;
    if (socket !== next.socket) next.socket.resume();
    socket.end(refusal(413, 'Connection: close\r\n'));
    // Go's server does not wait for long.
    setTimeout(() => socket.destroy(), 500);
    await goesOn(layer, 'y');
  });

  row('500 to an answer: ends', async () => {
    const layer = await startRaw(ECHO);
    give(await expectRaw(layer, NEXT), 'x', {});
    const answer = await expectRaw(layer, 'POST /invocation/x/response');
    answer.reply(refusal(500));
    await ends(layer);
  });

  row('403, 410, 500 to next: a clear error, ends', async () => {
    for (const status of [403, 410, 500]) {
      const layer = await startRaw(logging);
      (await expectRaw(layer, NEXT)).reply(refusal(status));
      void takePosts(layer);
      await ends(layer);
      expect(layer.log).toMatch(/./);
      expect(layer.log).not.toContain('handler ran');
      await layer.stop();
    }
  });

  row('no request id, a malformed response: a clear error, the handler never runs', async () => {
    for (const bytes of [
      `HTTP/1.1 200 OK\r\n${USUAL_LINES}Content-Length: 2\r\n\r\n{}`,
      'SSH-2.0-OpenSSH_9.9\r\n',
      `HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: x\r\n${USUAL_LINES}Transfer-Encoding: chunked\r\n\r\nz\r\n`,
    ]) {
      const layer = await startRaw(logging);
      (await expectRaw(layer, NEXT)).reply(bytes);
      void takePosts(layer);
      await layer.logged(/./);
      await settles(layer);
      expect(layer.log).not.toContain('handler ran');
      await layer.stop();
    }
  });

  row('reset or half-closed between invocations, or while the handler works', async () => {
    const layer = await startRaw(`
      export const handler = async (event) => event.slow
        ? new Promise((r) => setTimeout(r, 300, event)) : event;`);
    await goesOn(layer, 'a');
    (await expectRaw(layer, NEXT)).socket.resetAndDestroy();
    await goesOn(layer, 'b');
    (await expectRaw(layer, NEXT)).socket.end();
    await goesOn(layer, 'c');
    const next = await expectRaw(layer, NEXT);
    give(next, 'd', { slow: true });
    next.socket.end();
    await takeAnswer(layer, 'd');
    await goesOn(layer, 'e');
  });

  row(
    "… although the function has replaced `setTimeout` and `Date.now` (a test's fake timers)",
    async () => {
      const layer = await startRaw(`
        globalThis.setTimeout = () => 0;
        Date.now = () => 0;
        ${ECHO}`);
      await goesOn(layer, 'a');
      (await expectRaw(layer, NEXT)).socket.resetAndDestroy();
      await goesOn(layer, 'b');
    },
  );

  row('an answer that may have arrived is never sent again', async () => {
    for (const how of ['reset', 'end']) {
      const layer = await startRaw(ECHO);
      give(await expectRaw(layer, NEXT), 'x', {});
      const { socket } = await expectRaw(layer, 'POST /invocation/x/response');
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
      await Promise.race([settles(layer), layer.api.next()]);
      expect(postsOf(layer)).toEqual(['POST /invocation/x/response']);
      await layer.stop();
    }
  });

  row('lost again and again: ends', async () => {
    const layer = await startRaw(ECHO);
    let over = false;
    const cut = async () => {
      while (!over) {
        const request = await layer.api.next();
        if (request.line === NEXT) request.socket.resetAndDestroy();
        else request.reply(ACCEPTED);
      }
    };
    void cut();
    try {
      await ends(layer);
    } finally {
      over = true;
    }
  });
}
