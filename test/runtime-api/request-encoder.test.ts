import fc from 'fast-check';
import { encodeRequest, RequestEncoder } from '../../assets/runtime-api/http';

const NEXT = encodeRequest('GET', '/next', 'api');

function expected(body: string, fields: string, tail = ''): string {
  const length = Buffer.byteLength(body);
  return `POST /target HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${fields}\r\n${body}${tail}`;
}

const post = (encoder: RequestEncoder, body: string, fields = '') =>
  Buffer.from(encoder.post('/target', fields, body)).toString();

describe('a request encoder', () => {
  test('writes any text after any other, with and without a request that follows', () => {
    const encoder = new RequestEncoder('api');
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .tuple(
          fc.constantFrom('a', '\u00e9', '\u20ac', '\u{1f600}'),
          fc.integer({ max: 300_000, min: 80_000 }),
        )
        .map(([letter, times]) => letter.repeat(times)),
    );
    fc.assert(
      fc.property(text, fc.boolean(), (body, pipelined) => {
        const tail = pipelined ? NEXT : undefined;
        const bytes = encoder.post('/target', '', body, tail);
        const next = tail ? Buffer.from(tail).toString() : '';
        expect(Buffer.from(bytes).toString() === expected(body, '', next)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('writes a head that is longer than its room', () => {
    const fields = `X-Long: ${'x'.repeat(10_000)}\r\n`;
    expect(post(new RequestEncoder('api'), '"body"', fields)).toBe(expected('"body"', fields));
  });

  test('shares its buffer among large bodies, and lets it go after small ones', () => {
    const encoder = new RequestEncoder('api');
    const bufferOf = (length: number) => encoder.post('/target', '', 'x'.repeat(length)).buffer;
    const large = bufferOf(5_000_000);
    expect(bufferOf(4_000_000)).toBe(large);
    for (let small = 0; small < 10; small++) bufferOf(10);
    expect(bufferOf(10).byteLength).toBeLessThan(300_000);
  });
});
