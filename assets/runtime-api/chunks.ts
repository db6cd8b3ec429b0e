import { RuntimeError, reasonOf } from './errors';

const encoder = new TextEncoder();

/** What a handler may answer with in place of one value: it is sent piece by piece. */
export type Chunks = AsyncIterable<unknown>;

/** A web `ReadableStream`, a Node.js `Readable`, an async generator's iterator. */
export function isChunks(answer: unknown): answer is Chunks {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer;
}

/**
 * Text as UTF-8, bytes as they are, anything else as JSON.
 *
 * @throws RuntimeError `Runtime.MarshalError`
 */
export function chunkBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return encoder.encode(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  try {
    return encoder.encode(JSON.stringify(chunk) ?? '');
  } catch (error) {
    throw new RuntimeError('MarshalError', `a chunk is not JSON: ${reasonOf(error)}`);
  }
}

/**
 * Writes all chunks, each one when the one before was taken. When that fails or becomes useless,
 * their source is told to end.
 *
 * @param useless rejects when nobody takes them any more
 */
export async function writeChunks(
  chunks: Chunks,
  write: (bytes: Uint8Array) => Promise<void>,
  useless: Promise<never>,
): Promise<void> {
  const { next, stop } = sourceOf(chunks);
  let stopped = false;
  const writeAll = async () => {
    while (!stopped) {
      const { done, value } = await next();
      if (done || stopped) return;
      await write(chunkBytes(value));
    }
  };
  try {
    await Promise.race([writeAll(), useless]);
  } catch (error) {
    stopped = true;
    // Not awaited: a source that hangs would hold the next invocation up. What it throws is not what
    // went wrong.
    Promise.resolve()
      .then(() => stop(error))
      .catch(() => {});
    throw error;
  }
}

interface Source {
  next(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  stop(reason: unknown): unknown;
}

function sourceOf(chunks: Chunks): Source {
  // An iterator of a web stream would cancel it only after the read that it waits for.
  if (chunks instanceof ReadableStream) {
    const reader = chunks.getReader();
    return { next: () => reader.read(), stop: (reason) => reader.cancel(reason) };
  }
  const iterator = chunks[Symbol.asyncIterator]();
  return { next: () => iterator.next(), stop: () => iterator.return?.() };
}
