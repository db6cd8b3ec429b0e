import { joined } from './joined';
import { Retention } from './retention';

const encoder = new TextEncoder();

/** Room for a head in front of a body. */
const HEAD_ROOM = 4096;
/** The buffer is never smaller. */
const LEAST = HEAD_ROOM + 256 * 1024;
/** Bytes of UTF-8 that a UTF-16 code unit can take. */
const MOST_BYTES = 3;
/** The same in a large body: text in Latin letters fits then. */
const USUAL_BYTES = 1.125;

const NOTHING = new Uint8Array(0);

/** Bytes of a request without a body. */
export function encodeRequest(method: string, target: string, host: string): Uint8Array {
  return encoder.encode(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
}

/** Writes POST requests as one run of bytes, one after the other into the same buffer. */
export class RequestEncoder {
  private buffer = new Uint8Array(LEAST);
  private bodyRoom = this.buffer.subarray(HEAD_ROOM);
  private readonly retention = new Retention(LEAST);

  constructor(private readonly host: string) {}

  /**
   * @param fields header fields, each one with its line end
   * @param tail the bytes of a request that follows, for one write of both
   * @returns bytes that hold until the next call
   */
  post(target: string, fields: string, body: string, tail: Uint8Array = NOTHING): Uint8Array {
    this.reserve(body.length, tail.length);
    const { buffer, bodyRoom } = this;
    const { read, written } = encoder.encodeInto(body, bodyRoom);
    const head = this.head(target, fields, written);
    const isWhole = read === body.length && written + tail.length <= bodyRoom.length;
    if (!isWhole || MOST_BYTES * head.length > HEAD_ROOM) {
      const content = encoder.encode(body);
      return joined([encoder.encode(this.head(target, fields, content.length)), content, tail]);
    }
    const headBytes = encoder.encodeInto(head, buffer).written;
    const from = HEAD_ROOM - headBytes;
    buffer.copyWithin(from, 0, headBytes);
    if (tail.length > 0) buffer.set(tail, HEAD_ROOM + written);
    return buffer.subarray(from, HEAD_ROOM + written + tail.length);
  }

  /** Makes room for a body of so many UTF-16 code units, and for what follows it. */
  private reserve(bodyLength: number, tailBytes: number): void {
    const most = HEAD_ROOM + MOST_BYTES * bodyLength + tailBytes;
    const room = most <= LEAST ? most : HEAD_ROOM + Math.ceil(USUAL_BYTES * bodyLength) + tailBytes;
    const { length } = this.buffer;
    if (room <= length && this.retention.keeps(length, room)) return;
    this.buffer = new Uint8Array(Math.max(room, LEAST));
    this.bodyRoom = this.buffer.subarray(HEAD_ROOM);
  }

  private head(target: string, fields: string, length: number): string {
    return (
      `POST ${target} HTTP/1.1\r\nHost: ${this.host}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${length}\r\n${fields}\r\n`
    );
  }
}
