import { LAST_WORDS } from './handler-code';
import { ACCEPTED, eventResponse, NEXT, RawRuntimeApi } from './raw-runtime-api';
import { layerStarter, type RunningLayer, type RuntimeDialect } from './running-layer';

const ECHO = 'export const handler = (event) => event;';
const MEGABYTE = 1024 * 1024;

/** What every runtime makes of a Runtime API's bytes, and of connections that fail. */
export function describeWireContract(dialect: RuntimeDialect): void {
  const start = layerStarter(dialect, () => RawRuntimeApi.start());
  const respondsTo = (id: string) => `POST /invocation/${id}/response`;
  const failsAt = (id: string) => `POST /invocation/${id}/error`;

  /** One more invocation goes well, on whatever connection. */
  const goesOn = async ({ api }: RunningLayer<RawRuntimeApi>, id: string) => {
    (await api.expect(NEXT)).reply(eventResponse(id, { still: 'here' }));
    const answer = await api.expect(respondsTo(id));
    expect(answer.body).toBe('{"still":"here"}');
    answer.reply(ACCEPTED);
  };

  describe('a response is understood', () => {
    test('that arrives byte by byte', async () => {
      const { api } = await start(ECHO);
      for (const id of ['a', 'b']) {
        await (await api.expect(NEXT)).replyByteByByte(eventResponse(id, { ä: '€😀' }));
        const answer = await api.expect(respondsTo(id));
        expect(JSON.parse(answer.body)).toEqual({ ä: '€😀' });
        await answer.replyByteByByte(ACCEPTED);
      }
      expect(api.sockets).toHaveLength(1);
    });

    test('that is chunked, after an interim one, with its header names in any case', async () => {
      const { api } = await start('export const handler = (e, c) => [e, c.awsRequestId];');
      (await api.expect(NEXT)).reply(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nLAMBDA-runtime-aws-REQUEST-id:\tx \r\n' +
          'transfer-ENCODING: Chunked\r\n\r\n2;a="b"\r\n{}\r\n1 \r\n \r\n000\r\nTrailer: 1\r\n\r\n',
      );
      const answer = await api.expect(respondsTo('x'));
      expect(JSON.parse(answer.body)).toEqual([{}, 'x']);
    });

    test('that ends with its connection', async () => {
      const layer = await start(ECHO);
      const next = await layer.api.expect(NEXT);
      next.socket.end('HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: x\r\n\r\n{"a":1}');
      const answer = await layer.api.expect(respondsTo('x'));
      expect(answer.body).toBe('{"a":1}');
      answer.socket.end('HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      await goesOn(layer, 'y');
      expect(layer.api.sockets).toHaveLength(3);
    });

    test('with long header fields and an event of 6 MB, answered to a slow reader', async () => {
      const { api } = await start('export const handler = (e, c) => [c.clientContext.long, e];');
      const long = 'l'.repeat(200_000);
      const event = 'ü😀x'.repeat((6 * MEGABYTE) / 7);
      const fields = { 'Lambda-Runtime-Client-Context': JSON.stringify({ long }) };
      const next = await api.expect(NEXT);
      next.reply(eventResponse('x', event, fields));
      next.socket.pause();
      setTimeout(() => next.socket.resume(), 300);
      const answer = await api.expect(respondsTo('x'));
      expect(answer.body === JSON.stringify([long, event])).toBe(true);
    });
  });

  test.each([
    ['ASCII', 'x', 1],
    ['Latin letters', 'xxxxxxxxxxxxxxxxxxxä', 1],
    ['other letters', '語', 1],
    ['a last one that takes more room', 'x', 0],
  ])('an answer of 1 MB of %s is sent whole', async (_, part, even) => {
    const tail = even ? '' : '語'.repeat(100_000);
    const text = `"${part}".repeat(${MEGABYTE} / ${part.length}) + "${tail}"`;
    for (const pipelining of ['0', '1']) {
      const layer = await start(`export const handler = () => ${text};`, {
        RUNTIME_API_PIPELINING: pipelining,
      });
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      const answer = await layer.api.expect(respondsTo('x'));
      const expected = part.repeat(MEGABYTE / part.length) + tail;
      expect(answer.body === JSON.stringify(expected)).toBe(true);
      answer.reply(ACCEPTED);
      await layer.api.expect(NEXT);
      await layer.stop();
    }
  });

  describe('a refused answer is logged and nothing else is posted for it', () => {
    test.each([
      [413, ''],
      [413, 'Connection: close\r\n'],
      [410, ''],
      [400, ''],
      [403, ''],
    ])('with status %d, %j', async (status, field) => {
      const layer = await start(ECHO);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      const answer = await layer.api.expect(respondsTo('x'));
      answer.reply(`HTTP/1.1 ${status} No\r\n${field}Content-Length: 4\r\n\r\nwhy?`);
      await goesOn(layer, 'y');
      expect(layer.log).toMatch(new RegExp(`POST .*/x/response answered ${status}: why\\?`));
      expect(layer.api.lines).toEqual([NEXT, respondsTo('x'), NEXT, respondsTo('y')]);
    });

    test.each(['0', '1'])(
      'while it is still being sent, by a server that reads no further (pipelining %s)',
      async (pipelining) => {
        const layer = await start(
          `export const handler = (event) => event === 1 ? 'x'.repeat(20 * 1024 * 1024) : event;`,
          { RUNTIME_API_PIPELINING: pipelining },
        );
        const next = await layer.api.expect(NEXT);
        next.socket.pause();
        next.reply(eventResponse('x', 1));
        setTimeout(() => next.reply('HTTP/1.1 413 No\r\nContent-Length: 4\r\n\r\nwhy?'), 300);
        await goesOn(layer, 'y');
        expect(layer.log).toContain('answered 413: why?');
        expect(layer.api.sockets).toHaveLength(2);
      },
    );
  });

  describe('a streaming handler that throws when it has written', () => {
    test.each([
      ['at once', `(event, stream) => { stream.write('begun'); throw new RangeError('out'); }`],
      [
        'later on, though nothing catches it',
        `async (event, stream) => {
          setTimeout(() => { stream.write('begun'); throw new RangeError('out'); }, 20);
          return new Promise(() => {});
        }`,
      ],
    ])('%s, posts one thing', async (when, handler) => {
      const layer = await start(`export const handler = awslambda.streamifyResponse(${handler});`);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', {}));
      const post = await layer.api.expect(failsAt('x'));
      expect(JSON.parse(post.body).errorMessage).toBe('out');
      post.reply(ACCEPTED);
      if (when === 'at once') (await layer.api.expect(NEXT)).reply(eventResponse('y', {}));
      if (when === 'at once') (await layer.api.expect(failsAt('y'))).reply(ACCEPTED);
      else expect(await layer.exited).toBe(1);
      expect(layer.api.lines.filter((line) => line !== NEXT)).toEqual(
        when === 'at once' ? [failsAt('x'), failsAt('y')] : [failsAt('x')],
      );
    });

    test('after its idle connection was lost, posts one thing on one new connection', async () => {
      const layer = await start(`
        export const handler = awslambda.streamifyResponse(async (event, stream) => {
          await new Promise((resolve) => setTimeout(resolve, 200));
          stream.write('begun');
          throw new RangeError('out');
        });`);
      const next = await layer.api.expect(NEXT);
      next.reply(eventResponse('x', {}));
      setTimeout(() => next.socket.end(), 50);
      (await layer.api.expect(failsAt('x'))).reply(ACCEPTED);
      await layer.api.expect(NEXT);
      expect(layer.api.lines).toEqual([NEXT, failsAt('x'), NEXT]);
      expect(layer.api.sockets).toHaveLength(2);
    });
  });

  describe('a lost connection', () => {
    test('between invocations is made anew', async () => {
      const layer = await start(ECHO);
      await goesOn(layer, 'x');
      (await layer.api.expect(NEXT)).socket.resetAndDestroy();
      await goesOn(layer, 'y');
      (await layer.api.expect(NEXT)).socket.end();
      await goesOn(layer, 'z');
    });

    test('is made anew although the function has stopped the clock', async () => {
      const layer = await start(`
        globalThis.setTimeout = () => 0;
        Date.now = () => 0;
        export const handler = (event) => event;`);
      await goesOn(layer, 'x');
      // The second time in a row it is waited for.
      for (let time = 0; time < 2; time++) {
        (await layer.api.expect(NEXT)).socket.resetAndDestroy();
      }
      await goesOn(layer, 'y');
    });

    test('while the handler works is made anew for its answer', async () => {
      const layer = await start(`
        export const handler = (event) => new Promise((r) => setTimeout(r, 300, event));`);
      const next = await layer.api.expect(NEXT);
      next.reply(eventResponse('x', 1));
      next.socket.end();
      const answer = await layer.api.expect(respondsTo('x'));
      expect(answer.socket).not.toBe(next.socket);
      answer.reply(ACCEPTED);
      await goesOn(layer, 'y');
    });

    test.each(['reset', 'end'])('while the handler computes (%s), too', async (how) => {
      const layer = await start(`
        export const handler = (event) => {
          for (const begun = Date.now(); Date.now() - begun < 1500; );
          return event;
        };`);
      const next = await layer.api.expect(NEXT);
      next.reply(eventResponse('x', 1));
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (how === 'reset') next.socket.resetAndDestroy();
      else next.socket.end();
      const answer = await layer.api.expect(respondsTo('x'));
      expect(answer.socket).not.toBe(next.socket);
    });

    test.each([
      ['', 'reset'],
      ['', 'end'],
      ['HTTP/1.1 202 Acc', 'end'],
    ])(
      'after an answer (%j, %s) leaves the answer alone: it may have arrived',
      async (part, how) => {
        const layer = await start(ECHO);
        (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
        const { socket } = await layer.api.expect(respondsTo('x'));
        if (how === 'reset') socket.resetAndDestroy();
        else socket.end(part);
        await goesOn(layer, 'y');
        expect(layer.log).toContain('may have arrived and is not sent again');
        expect(layer.api.lines.filter((line) => line === respondsTo('x'))).toHaveLength(1);
      },
    );

    test('ends the process when it is lost again and again', async () => {
      const layer = await start(ECHO);
      for (let time = 1; time <= 3; time++) {
        (await layer.api.expect(NEXT)).socket.resetAndDestroy();
      }
      expect(await layer.exited).toBe(1);
      expect(layer.log).toContain('Runtime.ConnectionLost');
    });
  });

  describe('the process fails with a clear error and runs no handler', () => {
    const code = 'export const handler = () => console.log("handler ran");';
    test.each([
      ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 'next answered 403: no'],
      ['500', 'HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno', 'next answered 500: no'],
      ['410', 'HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n', 'next answered 410'],
      ['no request id', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', 'without a request id'],
      ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'Runtime.MalformedResponse'],
      ['a wrong length', 'HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\n{}', '"2x" is no content'],
      ['a lone line feed', 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}', 'stands alone'],
      [
        'a wrong chunk',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz',
        '"z" is no chunk size',
      ],
    ])('when next answers with %s', async (_, bytes, message) => {
      const layer = await start(code);
      (await layer.api.expect(NEXT)).reply(bytes);
      expect(await layer.exited).toBe(1);
      expect(layer.log).toContain(message);
      expect(layer.log).not.toContain('handler ran');
      expect(layer.api.lines).toEqual([NEXT]);
    });

    test('when an answer meets a 500', async () => {
      const layer = await start(ECHO);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      (await layer.api.expect(respondsTo('x'))).reply(
        'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n',
      );
      expect(await layer.exited).toBe(1);
      expect(layer.api.lines).toEqual([NEXT, respondsTo('x')]);
    });
  });

  describe('an error that nothing caught', () => {
    test.each([
      'Promise.reject(new RangeError("late"))',
      '(() => { throw new RangeError("late"); })()',
    ])('fails no invocation that has its answer, and ends the process: %s', async (late) => {
      const layer = await start(`
          export const handler = (event) => { setTimeout(() => { ${late} }, 200); return event; };`);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      (await layer.api.expect(respondsTo('x'))).reply(ACCEPTED);
      await layer.api.expect(NEXT);
      expect(await layer.exited).toBe(1);
      expect(layer.log).toContain('RangeError: late');
      expect(layer.api.lines).toEqual([NEXT, respondsTo('x'), NEXT]);
    });

    test('lets an answer that is on its way arrive, and takes no other event', async () => {
      const layer = await start(`
        export const handler = (event) => {
          setTimeout(() => Promise.reject(new RangeError('late')), 50);
          return event;
        };`);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      const answer = await layer.api.expect(respondsTo('x'));
      let replied = false;
      setTimeout(() => {
        replied = true;
        answer.reply(ACCEPTED);
      }, 500);
      expect(await layer.exited).toBe(1);
      expect(replied).toBe(true);
      expect(layer.log).toContain('RangeError: late');
      expect(layer.api.lines).toEqual([NEXT, respondsTo('x')]);
    });

    test('in a handler that then answers all the same is that invocation’s one post', async () => {
      const layer = await start(`
        export const handler = () => {
          Promise.reject(new RangeError('early'));
          return new Promise((resolve) => setTimeout(resolve, 50, 'fine'));
        };`);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      const error = await layer.api.expect(failsAt('x'));
      setTimeout(() => error.reply(ACCEPTED), 300);
      expect(await layer.exited).toBe(1);
      expect(layer.api.lines).toEqual([NEXT, failsAt('x')]);
    });

    test('loses none of the output before it', async () => {
      const layer = await start(`
        export const handler = () => {
          for (let line = 0; line < 20_000; line++) console.log('line ' + line + '.'.repeat(40));
          console.error('last words');
          setTimeout(() => { throw new RangeError('broken'); });
          return new Promise(() => {});
        };`);
      (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
      (await layer.api.expect(failsAt('x'))).reply(ACCEPTED);
      expect(await layer.exited).toBe(1);
      expect(layer.log.match(/\tline \d+\.{40}$/gm)).toHaveLength(20_000);
      expect(layer.log).toContain('last words');
      expect(layer.log).toContain('RangeError: broken');
    });
  });

  test('fails at once when the handler can never answer', async () => {
    const layer = await start('export const handler = () => new Promise(() => {});');
    (await layer.api.expect(NEXT)).reply(eventResponse('x', 1));
    const error = await layer.api.expect(failsAt('x'));
    expect(JSON.parse(error.body).errorType).toBe('Runtime.NeverSettled');
    error.reply(ACCEPTED);
    expect(await layer.exited).toBe(1);
  });

  test('fails at once when the handler can never load', async () => {
    const layer = await start('await new Promise(() => {}); export const handler = 1;');
    // Deno sees this itself, and ends before anything could be posted.
    layer.api.expect('POST /init/error').then((post) => post.reply(ACCEPTED));
    expect(await layer.exited).toBe(1);
    expect(layer.log).toMatch(/nothing is left to wait for|await promise never resolved/);
  });

  test.each([202, 403, 500])(
    'an init error is posted once, also when %d answers it',
    async (status) => {
      const layer = await start('Promise.reject(1); throw new TypeError("broken");');
      const post = await layer.api.expect('POST /init/error');
      expect(JSON.parse(post.body).errorMessage).toBe('broken');
      post.reply(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
      expect(await layer.exited).toBe(1);
      expect(layer.api.lines).toEqual(['POST /init/error']);
    },
  );

  describe('SIGTERM, which Lambda sends when an extension is registered', () => {
    test('ends the process, idle or not, and nothing is posted', async () => {
      for (const code of [
        ECHO,
        'export const handler = () => new Promise((r) => setTimeout(r, 9e6));',
      ]) {
        const layer = await start(code);
        const next = await layer.api.expect(NEXT);
        if (code !== ECHO) {
          next.reply(eventResponse('x', 1));
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        layer.signal('SIGTERM');
        await layer.exited;
        expect(layer.api.lines).toEqual([NEXT]);
        await layer.stop();
      }
    });

    test('reaches the function, whose last words are logged', async () => {
      const layer = await start(LAST_WORDS + ECHO);
      await goesOn(layer, 'x');
      await layer.api.expect(NEXT);
      layer.signal('SIGTERM');
      expect(await layer.exited).toBe(7);
      expect(layer.log).toContain('closed the database');
    });
  });

  describe('pipelining', () => {
    const environment = { RUNTIME_API_PIPELINING: '1' };

    test('takes both responses out of one read', async () => {
      const { api } = await start(ECHO, environment);
      (await api.expect(NEXT)).reply(eventResponse('x', 1));
      for (const [id, following] of [
        ['x', 'y'],
        ['y', 'z'],
      ] as const) {
        const answer = await api.expect(respondsTo(id));
        await api.expect(NEXT);
        answer.reply(ACCEPTED + eventResponse(following, 2));
      }
      expect((await api.expect(respondsTo('z'))).body).toBe('2');
      expect(api.sockets).toHaveLength(1);
    });

    test.each([
      [
        'a refusal that closes',
        'HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      ],
      ['no response', ''],
    ])('asks again for the next event, and sends no answer twice, after %s', async (_, bytes) => {
      const { api } = await start(ECHO, environment);
      (await api.expect(NEXT)).reply(eventResponse('x', 1));
      (await api.expect(respondsTo('x'))).socket.end(bytes);
      await api.expect(NEXT);
      const again = await api.expect(NEXT);
      expect(again.socket).toBe(api.sockets[1]);
      again.reply(eventResponse('y', 2));
      await api.expect(respondsTo('y'));
      expect(api.lines.filter((line) => line === respondsTo('x'))).toHaveLength(1);
    });
  });
}
