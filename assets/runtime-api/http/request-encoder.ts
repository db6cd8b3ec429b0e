import { joined } from './joined';

const encoder = new TextEncoder();

/** Room for a head in front of a body; a longer one is written another way. */
const HEAD_ROOM = 4096;
const BUFFER_BYTES = 256 * 1024;
/** Bytes of a UTF-16 code unit in a large body: text in Latin letters needs no copy then. */
const USUAL_BYTES = 1.125;

const NOTHING = new Uint8Array(0);

/** Bytes of a request without a body. */
export function encodeRequest(method: string, target: string, host: string): Uint8Array {
  return encoder.encode(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

/** Writes POST requests as one run of bytes, the small ones always into the same buffer. */
export class RequestEncoder {
  private readonly buffer = new Uint8Array(HEAD_ROOM + BUFFER_BYTES);
  private readonly bodyRoom = this.buffer.subarray(HEAD_ROOM);

  constructor(private readonly host: string) {}

  /**
   * @param fields header fields, each one with its line end
   * @param tail the bytes of a request that follows, for one write of both
   * @returns bytes that hold until the next call
   */
  post(target: string, fields: string, body: string, tail: Uint8Array = NOTHING): Uint8Array {
    const { buffer } = this;
    // A UTF-16 code unit takes three bytes of UTF-8 at most.
    if (3 * body.length + tail.length > BUFFER_BYTES) return this.large(target, fields, body, tail);
    const bodyBytes = encoder.encodeInto(body, this.bodyRoom).written;
    const head = this.head(target, fields, bodyBytes);
    if (3 * head.length > HEAD_ROOM) return this.large(target, fields, body, tail);
    const headBytes = encoder.encodeInto(head, buffer).written;
    const from = HEAD_ROOM - headBytes;
    buffer.copyWithin(from, 0, headBytes);
    if (tail.length > 0) buffer.set(tail, HEAD_ROOM + bodyBytes);
    return buffer.subarray(from, HEAD_ROOM + bodyBytes + tail.length);
  }

  private large(target: string, fields: string, body: string, tail: Uint8Array): Uint8Array {
    const room = HEAD_ROOM + Math.ceil(body.length * USUAL_BYTES);
    const bytes = new Uint8Array(room + tail.length);
    const { read, written } = encoder.encodeInto(body, bytes.subarray(HEAD_ROOM, room));
    const head = encoder.encode(this.head(target, fields, written));
    if (read === body.length && head.length <= HEAD_ROOM) {
      bytes.set(head, HEAD_ROOM - head.length);
      bytes.set(tail, HEAD_ROOM + written);
      return bytes.subarray(HEAD_ROOM - head.length, HEAD_ROOM + written + tail.length);
    }
    const content = encoder.encode(body);
    return joined([encoder.encode(this.head(target, fields, content.length)), content, tail]);
  }

  private head(target: string, fields: string, length: number): string {
    return (
      `POST ${target} HTTP/1.1\r\nHost: ${this.host}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${length}\r\n${fields}\r\n`
    );
  }
}
