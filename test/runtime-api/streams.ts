import fc from 'fast-check';

/** One response of a generated stream: its bytes, and what a reader has to make of them. */
export interface Sample {
  readonly bytes: Buffer;
  readonly status: number;
  readonly field: string;
  readonly body: string;
}

export const FIELD = 'lambda-runtime-aws-request-id';

const eol = '\r\n';
const blanks = fc.constantFrom('', ' ', '\t', '  \t');
const status = fc.constantFrom(200, 202, 400, 403, 410, 413, 500);
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const value = fc.stringMatching(/^(?:[!-~é€](?:[ -~é€]{0,30}[!-~é€])?)?$/u);
const body = fc.oneof(
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constant('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n'),
  fc.constant('\r\n0\r\n\r\n'),
);

/** A name with its letters in random case. */
function anyCase(name: string): fc.Arbitrary<string> {
  return fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => [...name].map((c, at) => (upper[at] ? c.toUpperCase() : c)).join(''));
}

function line(name: string, content: string): fc.Arbitrary<string> {
  return fc
    .tuple(anyCase(name), blanks, blanks)
    .map(([written, before, after]) => `${written}:${before}${content}${after}${eol}`);
}

/** Fields that mean nothing here. */
const others = fc
  .array(
    fc
      .tuple(token, value)
      .filter(([name]) => !/^(content-length|transfer-encoding|connection|lambda-.*)$/i.test(name))
      .map(([name, content]) => `${name}: ${content}${eol}`),
    { maxLength: 4 },
  )
  .map((lines) => lines.join(''));

const interim = fc.constantFrom('', '', '', 'HTTP/1.1 100 Continue\r\n\r\n');

/** The content in chunks, with extensions, and trailers after them. */
function chunked(content: Buffer): fc.Arbitrary<Buffer> {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  const extension = fc.constantFrom('', ' ', ';a=b', ' ;q="x y"');
  const zeros = fc.constantFrom('0', '000');
  return fc
    .tuple(sizes, extension, zeros, fc.boolean(), others)
    .map(([cuts, ext, zero, up, tail]) => {
      const parts: Buffer[] = [];
      let at = 0;
      for (let turn = 0; at < content.length; turn++) {
        const part = content.subarray(at, at + (cuts[turn % cuts.length] as number));
        const hex = part.length.toString(16);
        parts.push(
          Buffer.from(`${up ? hex.toUpperCase() : hex}${ext}${eol}`),
          part,
          Buffer.from(eol),
        );
        at += part.length;
      }
      return Buffer.concat([...parts, Buffer.from(`${zero}${ext}${eol}${tail}${eol}`)]);
    });
}

/** Any legal response that keeps its connection. */
export const sample: fc.Arbitrary<Sample> = fc
  .record({
    status,
    reason: fc.constantFrom('', ' ', ' OK', ' Not  so good'),
    field: value,
    body,
    others,
    interim,
    inChunks: fc.boolean(),
  })
  .chain((picked) => {
    const content = Buffer.from(picked.body);
    const framing = picked.inChunks
      ? fc.tuple(line('transfer-encoding', 'chunked'), chunked(content))
      : fc.tuple(line('content-length', String(content.length)), fc.constant(content));
    return fc
      .tuple(framing, line(FIELD, picked.field), fc.boolean())
      .map(([[frame, bytes], field, first]) => {
        const fields = first ? frame + field : field + frame;
        const start = `${picked.interim}HTTP/1.1 ${picked.status}${picked.reason}${eol}`;
        const head = Buffer.from(`${start}${picked.others}${fields}${eol}`);
        return {
          bytes: Buffer.concat([head, bytes]),
          status: picked.status,
          field: picked.field,
          body: content.toString(),
        };
      });
  });

/** Several responses, one after the other. */
export const samples = fc.array(sample, { minLength: 1, maxLength: 4 });

/** Sizes of the reads that a stream arrives in. */
export const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 12 });

export function cutUp(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** What can happen to bytes on a bad day. */
export type Mutation = readonly [
  kind: 'set' | 'insert' | 'remove' | 'repeat',
  at: number,
  byte: number,
];

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.tuple(
    fc.constantFrom('set', 'insert', 'remove', 'repeat'),
    fc.nat(),
    fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('\r\n:;, \t0aF'))),
  ),
  { minLength: 1, maxLength: 4 },
);

export function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  let result = bytes;
  for (const [kind, where, byte] of changes) {
    const at = where % (result.length + 1);
    const before = result.subarray(0, at);
    const one = Buffer.from([byte]);
    if (kind === 'set') result = Buffer.concat([before, one, result.subarray(at + 1)]);
    else if (kind === 'insert') result = Buffer.concat([before, one, result.subarray(at)]);
    else if (kind === 'remove')
      result = Buffer.concat([before, result.subarray(at + 1 + (byte % 5))]);
    else
      result = Buffer.concat([
        before,
        result.subarray(at, at + 1 + (byte % 40)),
        result.subarray(at),
      ]);
  }
  return result;
}
