import type { Connection } from './connection';
import { ERROR_BODY, ERROR_TYPE, errorTrailers } from './error-trailers';
import { type ErrorDocument, RuntimeError, reasonOf } from './errors';
import { joined, type Response } from './http';

const encoder = new TextEncoder();

const LAST_CHUNK = '0\r\n';
const LINE_END = encoder.encode('\r\n');

/** What an answer in pieces needs of the Runtime API's client. */
export interface StreamedAnswerOptions {
  /** Start line and the header fields that are known, each one with its line end. */
  readonly startLine: string;
  connect(): Promise<Connection>;
  /** What the response means; rejects when the process has to end. */
  conclude(answered: Promise<Response>): Promise<void>;
}

/**
 * One invocation's answer as a chunked request (RFC 9112, 7.1). What goes wrong before its first
 * piece can still be posted as an error; after that it travels in the trailer fields.
 */
export class StreamedAnswer {
  private type = 'application/octet-stream';
  private connection: Connection | undefined;
  private answered: Promise<Response> | undefined;
  private closed = false;
  /** The piece that is sent last so far: pieces never overtake each other. */
  private last: Promise<void> = Promise.resolve();
  private refusal: RuntimeError | undefined;
  private giveUp: (refusal: RuntimeError) => void = () => {};
  /** Rejects when nobody takes the answer any more. */
  readonly useless: Promise<never>;

  constructor(private readonly options: StreamedAnswerOptions) {
    this.useless = new Promise((_, reject) => {
      this.giveUp = (refusal) => {
        this.refusal = refusal;
        reject(refusal);
      };
    });
    this.useless.catch(() => {});
  }

  /** Whether something of it may have arrived. */
  get begun(): boolean {
    return this.answered !== undefined;
  }

  /** @throws RuntimeError `Runtime.InvalidStreamingOperation` */
  set contentType(type: string) {
    if (this.begun) {
      throw new RuntimeError(
        'InvalidStreamingOperation',
        'the content type was sent with the first piece; set it before',
      );
    }
    if (!/^[\t\x20-\x7e]+$/.test(type)) {
      const what = `${JSON.stringify(type)} is no content type`;
      throw new RuntimeError('InvalidStreamingOperation', what);
    }
    this.type = type;
  }

  /** Resolves when the piece was taken; rejects when nobody takes it. */
  write(bytes: Uint8Array): Promise<void> {
    return this.enqueue(() => (bytes.length === 0 ? Promise.resolve() : this.send(chunk(bytes))));
  }

  /** Sends the last chunk, with the error if there is one. */
  close(error?: ErrorDocument): Promise<void> {
    return this.enqueue(async () => {
      if (this.closed) return;
      await this.send(encoder.encode(`${LAST_CHUNK}${error ? errorTrailers(error) : ''}\r\n`));
      this.closed = true;
    });
  }

  /** Lets go of it before its first piece: its invocation is answered in another way. */
  abandon(): void {
    this.closed = true;
  }

  /** Ends it with an error, if anybody still takes it. */
  async fail(error: ErrorDocument): Promise<void> {
    try {
      await this.close(error);
    } catch {
      // What was sent after the end, or after a refusal: the Runtime API tells what became of it.
    }
    await this.conclude();
  }

  /**
   * Waits until the Runtime API has answered.
   *
   * @throws RuntimeError, or what was wrong with the response, when the process has to end
   */
  async conclude(): Promise<void> {
    const { connection, answered } = this;
    if (!connection || !answered) return;
    if (this.closed) connection.awaitResponse();
    // The rest of the request would be read as the next one.
    else connection.close();
    await this.options.conclude(answered);
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    this.last = this.last.then(task);
    return this.last;
  }

  private async send(bytes: Uint8Array): Promise<void> {
    if (this.closed) throw tooLate();
    const head = this.begun ? [] : [encoder.encode(this.head())];
    const connection = this.connection ?? (await this.begin());
    await connection.sendPart(joined([...head, bytes]));
    if (connection.open) return;
    throw this.refusal ?? refused('the connection was closed');
  }

  private async begin(): Promise<Connection> {
    const connection = await this.options.connect();
    // Abandoned meanwhile.
    if (this.closed) throw tooLate();
    this.connection = connection;
    this.answered = connection.expect();
    // A handler that never ends its answer shall not be waited for.
    connection.awaitResponse(false);
    this.answered.then(
      ({ status }) => {
        if (status < 300 || this.closed) return;
        this.giveUp(refused(`the Runtime API answered ${status}`));
        connection.close();
      },
      (error) => this.giveUp(refused(reasonOf(error))),
    );
    return connection;
  }

  private head(): string {
    return (
      `${this.options.startLine}Content-Type: ${this.type}\r\n` +
      'Lambda-Runtime-Function-Response-Mode: streaming\r\n' +
      `Transfer-Encoding: chunked\r\nTrailer: ${ERROR_TYPE}, ${ERROR_BODY}\r\n\r\n`
    );
  }
}

function tooLate(): RuntimeError {
  return new RuntimeError('InvalidStreamingOperation', 'a piece came after the end');
}

function refused(reason: string): RuntimeError {
  return new RuntimeError('ResponseStreamRefused', `nobody takes the response any more: ${reason}`);
}

function chunk(bytes: Uint8Array): Uint8Array {
  return joined([encoder.encode(`${bytes.length.toString(16)}\r\n`), bytes, LINE_END]);
}
