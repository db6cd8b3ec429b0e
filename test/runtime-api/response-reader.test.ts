import fc from 'fast-check';
import { MalformedResponse, type Response, ResponseReader } from '../../assets/runtime-api/http';
import { cuts, cutUp, FIELD, mutate, mutations, sample, samples } from './streams';

/** Cases of each property; the long tier sets more. */
const CASES = Number(process.env.READER_FUZZ_CASES ?? 3000);

interface Reading {
  readonly responses: Pick<Response, 'status' | 'body' | 'keepAlive'>[];
  readonly fields: (string | undefined)[];
  /** What the reader said of the end, or why it did not get there. */
  readonly end: boolean | string;
}

function read(pieces: readonly Buffer[]): Reading {
  const responses: Reading['responses'] = [];
  const fields: Reading['fields'] = [];
  const reader = new ResponseReader(({ status, body, keepAlive, headers }) => {
    responses.push({ status, body, keepAlive });
    fields.push(headers.get(FIELD));
  });
  // As a socket's buffer is: overwritten as soon as the reader has returned.
  const buffer = Buffer.alloc(pieces.reduce((most, { length }) => Math.max(most, length), 1));
  try {
    for (const piece of pieces) {
      piece.copy(buffer);
      reader.push(buffer.subarray(0, piece.length));
      buffer.fill(0x2e);
    }
    return { responses, fields, end: reader.end() };
  } catch (error) {
    if (!(error instanceof MalformedResponse)) throw error;
    return { responses, fields, end: error.message };
  }
}

/** Of several faults the one that is named depends on what has arrived. */
const outcome = (reading: Reading) => ({
  ...reading,
  end: typeof reading.end === 'string' ? 'malformed' : reading.end,
});

const text = (...lines: string[]) => Buffer.from(lines.join('\r\n'));
const one = (bytes: Buffer) => read([bytes]);

describe('the reader', () => {
  test('takes a stream that is cut in two at every byte', () => {
    const stream = text(
      'HTTP/1.1 100 Continue\r\n',
      'HTTP/1.1 200 OK',
      `${FIELD}: ä`,
      'Folded: a\r\n\t b',
      'Content-Length: 9, 9\r\n',
      '"ä€é"HTTP/1.0 202 Accepted',
      'Connection: x, Keep-Alive',
      'TRANSFER-ENCODING:chunked\r\n',
      '5;x="y"',
      '{"€',
      '0002',
      '":',
      '2',
      '1}',
      '0',
      'T: 1\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
    );
    const whole = one(stream);
    expect(whole.end).toBe(true);
    expect(whole.fields).toEqual(['ä', undefined, undefined]);
    expect(whole.responses).toEqual([
      { status: 200, body: '"ä€é"', keepAlive: true },
      { status: 202, body: '{"€":1}', keepAlive: true },
      { status: 204, body: '', keepAlive: true },
    ]);
    for (let at = 0; at <= stream.length; at++) {
      expect(read([stream.subarray(0, at), stream.subarray(at)])).toEqual(whole);
    }
    expect(read(cutUp(stream, [1]))).toEqual(whole);
  });

  test('takes a body that ends with its connection, and no further request on it', () => {
    const bytes = text('HTTP/1.0 200 OK', '', 'all of this');
    expect(read(cutUp(bytes, [3]))).toMatchObject({
      responses: [{ status: 200, body: 'all of this', keepAlive: false }],
    });
    const closing = text('HTTP/1.1 200 OK', 'Connection: Close', 'Content-Length: 0', '', '');
    expect(one(closing).responses[0]?.keepAlive).toBe(false);
  });

  test.each([
    ['HTTP/1.1 200 O'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n'],
  ])('notices that %j is cut off', (bytes) => {
    expect(one(Buffer.from(bytes))).toEqual({ responses: [], fields: [], end: false });
  });

  test('copies a large body a bounded number of times, however small its pieces', () => {
    const body = 'ü'.repeat(3 * 1024 * 1024);
    const content = Buffer.from(body);
    const set = jest.spyOn(Uint8Array.prototype, 'set');
    try {
      let copied = 0;
      set.mockImplementation(function (this: Uint8Array, source: ArrayLike<number>, at = 0) {
        copied += source.length;
        Buffer.from(source as Uint8Array).copy(this, at);
      });
      const length = text('HTTP/1.1 200 OK', `Content-Length: ${content.length}`, '', '');
      expect(read([length, ...cutUp(content, [1400])]).responses[0]?.body === body).toBe(true);
      expect(copied).toBeLessThan(1.1 * content.length);

      copied = 0;
      const chunks = cutUp(content, [1000]).flatMap((part) => [
        Buffer.from(`${part.length.toString(16)}\r\n`),
        part,
        Buffer.from('\r\n'),
      ]);
      const head = text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '');
      const stream = [head, ...chunks, Buffer.from('0\r\n\r\n')];
      expect(read(stream).responses[0]?.body === body).toBe(true);
      expect(copied).toBeLessThan(4 * content.length);
    } finally {
      set.mockRestore();
    }
  });
});

describe('the reader fails', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  test.each([
    ['another protocol', 'SSH-2.0', 'does not start'],
    ['another version of it', 'HTTP/2.0 200 OK\r\n\r\n', 'no status line'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n', 'no status line'],
    ['a protocol switch', 'HTTP/1.1 101 Switching\r\n\r\n', 'changes the protocol'],
    ['a line feed alone', 'HTTP/1.1 200 OK\n', 'stands alone'],
    ['a carriage return alone', 'HTTP/1.1 200 OK\rX', 'stands alone'],
    ['a space before the colon', `${ok}Content-Length : 2\r\n\r\n{}`, 'no header field'],
    ['a field without a colon', `${ok}Content-Length\r\n\r\n`, 'no header field'],
    ['a fold of nothing', `${ok} folded: 1\r\n\r\n`, 'folded'],
    ['a NUL', `${ok}A: \0\r\n\r\n`, 'NUL'],
    ['a negative length', `${ok}Content-Length: -1\r\n\r\n`, 'no content length'],
    ['a hex length', `${ok}Content-Length: 0x2\r\n\r\n`, 'no content length'],
    ['an empty length', `${ok}Content-Length:\r\n\r\n`, 'no content length'],
    ['two lengths', `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\n`, 'no content length'],
    ['a monstrous length', `${ok}Content-Length: 999999999999\r\n\r\n`, 'exceeds'],
    ['another coding', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'not asked for'],
    [
      'a length and a coding',
      `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'a content length and a transfer coding',
    ],
    ['a size that is no number', `${ok}Transfer-Encoding: chunked\r\n\r\nx`, 'no chunk size'],
    ['a chunk that is too long', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n`, 'longer'],
    ['a monstrous chunk', `${ok}Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n`, 'exceeds'],
    ['an endless header', `${ok}A: ${'a'.repeat(1024 * 1024)}`, 'header fields exceed'],
    [
      'endless trailers',
      `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nA: ${'a'.repeat(1024 * 1024)}`,
      'trailer fields exceed',
    ],
    [
      'an endless size line',
      `${ok}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(16 * 1024)}`,
      'size line exceeds',
    ],
  ])('at %s, without waiting for more', (_, bytes, message) => {
    const reading = one(Buffer.from(bytes));
    expect(reading.responses).toEqual([]);
    expect(reading.end).toContain(message);
    expect(outcome(read(cutUp(Buffer.from(bytes), [7])))).toEqual(outcome(reading));
  });
});

describe(`of generated streams, the reader`, () => {
  test('finds every response, wherever the stream is cut', () => {
    fc.assert(
      fc.property(samples, cuts, (stream, sizes) => {
        const reading = read(cutUp(Buffer.concat(stream.map(({ bytes }) => bytes)), sizes));
        expect(reading).toEqual({
          responses: stream.map(({ status, body }) => ({ status, body, keepAlive: true })),
          fields: stream.map(({ field }) => field),
          end: true,
        });
      }),
      { numRuns: CASES },
    );
  }, 600_000);

  test('makes the same of a mutated one, wherever it is cut, and never another kind of error', () => {
    fc.assert(
      fc.property(samples, mutations, cuts, (stream, changes, sizes) => {
        const bytes = mutate(Buffer.concat(stream.map((response) => response.bytes)), changes);
        expect(outcome(read(cutUp(bytes, sizes)))).toEqual(outcome(one(bytes)));
      }),
      { numRuns: CASES },
    );
  }, 600_000);

  test('has what comes before a mutated response right', () => {
    fc.assert(
      fc.property(sample, sample, mutations, cuts, (good, bad, changes, sizes) => {
        const bytes = Buffer.concat([good.bytes, mutate(bad.bytes, changes)]);
        const { responses, fields } = read(cutUp(bytes, sizes));
        expect(responses[0]).toMatchObject({ status: good.status, body: good.body });
        expect(fields[0]).toBe(good.field);
      }),
      { numRuns: CASES },
    );
  }, 600_000);

  test('says of a stream that stops early that it was cut off', () => {
    fc.assert(
      fc.property(sample, fc.nat(), cuts, ({ bytes }, at, sizes) => {
        const part = bytes.subarray(0, 1 + (at % (bytes.length - 1)));
        const { responses, end } = read(cutUp(part, sizes));
        expect(responses).toEqual([]);
        expect(end === false || part.toString() === 'HTTP/1.1 100 Continue\r\n\r\n').toBe(true);
      }),
      { numRuns: CASES },
    );
  }, 600_000);
});
