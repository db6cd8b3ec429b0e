import fc from 'fast-check';
import { decodeInPieces, decodeUtf8 } from '../../assets/runtime-api/http';

const BOM = Buffer.from('\ufeff');

describe('text of bytes', () => {
  test('is the same when it is decoded in pieces, whatever the bytes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => Buffer.from(value));
    // Bytes that begin or follow within a character, so that most are malformed.
    const malformed = fc.array(fc.constantFrom(0x61, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xff));
    const bytes = fc.oneof(text, malformed.map(Buffer.from), fc.uint8Array());
    fc.assert(
      fc.property(bytes, fc.integer({ min: 4, max: 12 }), (value, piece) => {
        expect(decodeInPieces(8, piece)(value)).toBe(decodeUtf8(value));
      }),
      { numRuns: 20_000, examples: [[Buffer.from('61616161e2bfbf80bf', 'hex'), 4]] },
    );
  });

  test('begins with its byte order mark', () => {
    expect(decodeUtf8(BOM)).toBe('\ufeff');
    expect(decodeInPieces(4, 4)(Buffer.concat([BOM, BOM]))).toBe('\ufeff\ufeff');
  });
});
