import { type Decode, decodeUtf8 } from './decode';
import { GrowingBytes } from './growing-bytes';
import { MalformedResponse, parseHead, type ResponseHead } from './response-head';

/** A whole HTTP response; its body is text, because all that the Runtime API sends is JSON. */
export interface Response extends ResponseHead {
  readonly body: string;
}

/** Bytes of status line and header fields; Lambda's own are some hundred. */
export const MAX_HEAD_BYTES = 1024 * 1024;
/** Bytes of a body; Lambda's limit of an event is 6 MB, emulators have none. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** Bytes of the line that gives a chunk's size, extensions included. */
const MAX_SIZE_LINE_BYTES = 16 * 1024;

/** The beginning of such a line is taken too, so that what can never become one is refused at once. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?(?:\r\n?)?$/;

const CR = 13;
const LF = 10;
const START = [...'HTTP/1.'].map((letter) => letter.charCodeAt(0));

type State = 'head' | 'fixed' | 'until-close' | 'size' | 'chunk' | 'chunk-end' | 'trailers';

/**
 * Reads HTTP/1.1 responses (RFC 9112) out of the bytes of a connection, cut anywhere. It keeps no
 * reference to what it is given, copies a body once at most, and takes line ends in strict form.
 */
export class ResponseReader {
  private state: State = 'head';
  /** How much of CR LF CR LF the last bytes were. */
  private matched = 0;
  private readonly kept = new GrowingBytes();
  private head: ResponseHead | undefined;
  /** A chunk's size line, as far as it has come. */
  private line = '';
  /** Bytes that are missing of the body or of the chunk. */
  private missing = 0;

  /** @param decode of bodies; heads are short */
  constructor(
    private readonly onResponse: (response: Response) => void,
    private readonly decode: Decode = decodeUtf8,
  ) {}

  /** @throws MalformedResponse after which the connection cannot be read any further */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at = this.step(bytes, at);
  }

  /**
   * The connection has ended.
   *
   * @returns false when that cut a response off
   */
  end(): boolean {
    if (this.state === 'until-close') this.complete(this.kept.view());
    return this.state === 'head' && this.kept.length === 0 && this.matched === 0;
  }

  private step(bytes: Uint8Array, at: number): number {
    switch (this.state) {
      case 'head':
        return this.readHead(bytes, at);
      case 'fixed':
        return this.readFixed(bytes, at);
      case 'size':
        return this.readSize(bytes, at);
      case 'chunk':
        return this.readChunk(bytes, at);
      case 'chunk-end':
        return this.readChunkEnd(bytes, at);
      case 'trailers':
        return this.readTrailers(bytes, at);
      case 'until-close':
        this.assertBody(this.kept.length + bytes.length - at);
        this.kept.append(bytes, at, bytes.length);
        return bytes.length;
    }
  }

  private readHead(bytes: Uint8Array, from: number): number {
    const end = this.emptyLine(bytes, from);
    const to = end === -1 ? bytes.length : end;
    if (this.kept.length + to - from > MAX_HEAD_BYTES) {
      throw new MalformedResponse(`its header fields exceed ${MAX_HEAD_BYTES} bytes`);
    }
    if (end !== -1 && this.kept.length === 0) {
      this.start(parseHead(decodeUtf8(bytes.subarray(from, end))));
      return end;
    }
    this.kept.append(bytes, from, to);
    // Whatever is no HTTP would otherwise be waited for until its empty line, which may never come.
    const begin = this.kept.view();
    if (!START.every((byte, index) => index >= begin.length || begin[index] === byte)) {
      throw new MalformedResponse('it does not start with "HTTP/1."');
    }
    if (end !== -1) {
      const text = decodeUtf8(begin);
      this.kept.clear();
      this.start(parseHead(text));
    }
    return to;
  }

  /** Where the first empty line ends, -1 for not in these bytes. */
  private emptyLine(bytes: Uint8Array, from: number): number {
    let matched = this.matched;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte > CR && matched === 0) continue;
      const afterCr = (matched & 1) === 1;
      if (afterCr !== (byte === LF)) {
        throw new MalformedResponse('a carriage return or a line feed stands alone in its header');
      }
      if (byte === CR || byte === LF) matched++;
      else matched = 0;
      if (matched === 4) {
        this.matched = 0;
        return at + 1;
      }
    }
    this.matched = matched;
    return -1;
  }

  private start(head: ResponseHead): void {
    // 100 and 103 announce the response that follows them.
    if (head.status < 200) return;
    this.head = head;
    const { framing } = head;
    if (framing === 'chunked') this.state = 'size';
    else if (framing === 'until-close') this.state = 'until-close';
    else if (framing === 0) this.complete(new Uint8Array(0));
    else {
      this.assertBody(framing);
      this.missing = framing;
      this.state = 'fixed';
    }
  }

  private readFixed(bytes: Uint8Array, from: number): number {
    const to = Math.min(bytes.length, from + this.missing);
    if (this.kept.length === 0) {
      if (to - from === this.missing) {
        this.complete(bytes.subarray(from, to));
        return to;
      }
      this.kept.reserve(this.missing);
    }
    this.kept.append(bytes, from, to);
    this.missing -= to - from;
    if (this.missing === 0) this.complete(this.kept.view());
    return to;
  }

  private readSize(bytes: Uint8Array, from: number): number {
    const lf = bytes.indexOf(LF, from);
    const to = lf === -1 ? bytes.length : lf + 1;
    this.line += decodeUtf8(bytes.subarray(from, to));
    if (this.line.length > MAX_SIZE_LINE_BYTES) {
      throw new MalformedResponse(`a chunk's size line exceeds ${MAX_SIZE_LINE_BYTES} bytes`);
    }
    const [, digits] = SIZE_LINE.exec(this.line) ?? [];
    if (digits === undefined) {
      throw new MalformedResponse(`${JSON.stringify(this.line.slice(0, 80))} is no chunk size`);
    }
    if (lf === -1) return to;
    this.line = '';
    this.missing = Number.parseInt(digits, 16);
    this.assertBody(this.kept.length + this.missing);
    // The size line's own end counts, so that no trailer is an empty line at once.
    this.matched = this.missing === 0 ? 2 : 0;
    this.state = this.missing === 0 ? 'trailers' : 'chunk';
    return to;
  }

  private readChunk(bytes: Uint8Array, from: number): number {
    const to = Math.min(bytes.length, from + this.missing);
    this.kept.append(bytes, from, to);
    this.missing -= to - from;
    if (this.missing === 0) {
      this.missing = 2;
      this.state = 'chunk-end';
    }
    return to;
  }

  private readChunkEnd(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== (this.missing === 2 ? CR : LF)) {
      throw new MalformedResponse('a chunk is longer than it says');
    }
    this.missing -= 1;
    if (this.missing === 0) this.state = 'size';
    return from + 1;
  }

  /** Trailer fields carry nothing that a runtime needs: they are read over. */
  private readTrailers(bytes: Uint8Array, from: number): number {
    const end = this.emptyLine(bytes, from);
    const to = end === -1 ? bytes.length : end;
    this.missing += to - from;
    if (this.missing > MAX_HEAD_BYTES) {
      throw new MalformedResponse(`its trailer fields exceed ${MAX_HEAD_BYTES} bytes`);
    }
    if (end !== -1) this.complete(this.kept.view());
    return to;
  }

  private complete(bytes: Uint8Array): void {
    const { status, headers, framing, keepAlive } = this.head as ResponseHead;
    const response = { status, headers, framing, keepAlive, body: this.decode(bytes) };
    this.kept.clear();
    this.head = undefined;
    this.missing = 0;
    this.state = 'head';
    this.onResponse(response);
  }

  private assertBody(length: number): void {
    if (length <= MAX_BODY_BYTES) return;
    throw new MalformedResponse(`its body of ${length} bytes exceeds ${MAX_BODY_BYTES}`);
  }
}
