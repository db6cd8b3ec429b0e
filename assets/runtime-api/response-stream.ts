import type { Writable } from 'node:stream';
import { chunkBytes } from './chunks';
import { RuntimeError } from './errors';
import { joined } from './http';
import type { StreamedAnswer } from './streamed-answer';

/** How Lambda's own Node.js runtime marks a handler that streams; wrappers of handlers rely on it. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

/** Content type of metadata as JSON, these zero bytes, and then the body of an HTTP response. */
const HTTP_RESPONSE = 'application/vnd.awslambda.http-integration-response';
const ZERO_BYTES = 8;

/** What a handler writes its answer to: a Node.js `Writable`, in every runtime. */
export interface ResponseStream extends Writable {
  setContentType(type: string): void;
  /** Sends what has to stand before the first piece. */
  _onBeforeFirstWrite?(write: (chunk: unknown) => void): void;
}

/** Gives handlers Lambda's global `awslambda`. */
export function offerStreaming(): void {
  const global = globalThis as { awslambda?: object };
  global.awslambda = { ...global.awslambda, streamifyResponse, HttpResponseStream };
}

/** How a handler wants to stream; undefined when it answers in one piece. */
export function streamingOf(handler: object): { readonly highWaterMark?: number } | undefined {
  const marked = handler as { [STREAMING]?: unknown; [HIGH_WATER_MARK]?: number };
  if (marked[STREAMING] === undefined) return undefined;
  if (marked[STREAMING] === 'response') return { highWaterMark: marked[HIGH_WATER_MARK] };
  const what = `the handler asks for streaming ${JSON.stringify(marked[STREAMING])}`;
  throw new RuntimeError('MalformedStreamingHandler', `${what}; only "response" exists`);
}

/**
 * The stream that writes to an answer, and what becomes of it: resolved with its end, rejected when
 * it was destroyed before.
 *
 * @param Base the interpreter's `Writable`
 */
export function responseStream(
  Base: typeof Writable,
  answer: StreamedAnswer,
  highWaterMark?: number,
): { readonly stream: ResponseStream; readonly finished: Promise<void> } {
  let finish: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  // Whoever awaits it comes later.
  finished.catch(() => {});

  class AnswerStream extends Base implements ResponseStream {
    _onBeforeFirstWrite?: ResponseStream['_onBeforeFirstWrite'];

    setContentType(type: string): void {
      answer.contentType = type;
    }

    /** As in Lambda's own runtime, a chunk that is neither text nor bytes is written as JSON. */
    override write(chunk: unknown, ...rest: unknown[]): boolean {
      const plain = typeof chunk === 'string' || ArrayBuffer.isView(chunk) || chunk === null;
      return super.write(plain ? chunk : chunkBytes(chunk), ...(rest as []));
    }

    override _writev(
      chunks: readonly { readonly chunk: Uint8Array }[],
      callback: (error?: Error) => void,
    ): void {
      const pieces = [...this.preamble(), ...chunks.map(({ chunk }) => chunk)];
      answer.write(joined(pieces)).then(() => callback(), callback);
    }

    override _final(callback: (error?: Error) => void): void {
      answer
        .write(joined(this.preamble()))
        .then(() => answer.close())
        .then(() => {
          finish();
          callback();
        })
        .catch(callback);
    }

    override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
      const what = 'the response stream was destroyed before its end';
      fail(error ?? new RuntimeError('ResponseStreamDestroyed', what));
      callback(error);
    }

    private preamble(): Uint8Array[] {
      const pieces: Uint8Array[] = [];
      const before = answer.begun ? undefined : this._onBeforeFirstWrite;
      before?.call(this, (chunk) => pieces.push(chunkBytes(chunk)));
      return pieces;
    }
  }

  const stream = new AnswerStream(highWaterMark === undefined ? {} : { highWaterMark });
  // The answer reports it; a handler that does not listen shall not end the process.
  stream.on('error', () => {});
  answer.useless.catch((error) => stream.destroy(error));
  return { stream, finished };
}

function streamifyResponse<T extends object>(
  handler: T,
  options?: { readonly highWaterMark?: number },
): T {
  const marks: Record<symbol, unknown> = { [STREAMING]: 'response' };
  if (typeof options?.highWaterMark === 'number') marks[HIGH_WATER_MARK] = options.highWaterMark;
  return Object.assign(handler, marks);
}

const HttpResponseStream = {
  /** Sends the metadata of an HTTP response (`statusCode`, `headers`, `cookies`) before its body. */
  from(stream: ResponseStream, metadata: unknown): ResponseStream {
    stream.setContentType(HTTP_RESPONSE);
    const prelude = JSON.stringify(metadata);
    stream._onBeforeFirstWrite = (write) => {
      write(prelude);
      write(new Uint8Array(ZERO_BYTES));
    };
    return stream;
  },
};
