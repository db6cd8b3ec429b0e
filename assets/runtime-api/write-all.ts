const encoder = new TextEncoder();
/** Never changes: waiting for it is sleeping. Made only where a reader is slow. */
let never: Int32Array | undefined;

/**
 * Writes all of a text before it returns, however slow its reader is. When nobody reads any more
 * there is no place left to say so.
 *
 * @param write writes bytes, as many as are taken; returns how many
 * @param isFull whether what it threw means that nothing is taken just now
 */
export function writeAll(
  text: string,
  write: (bytes: Uint8Array) => number,
  isFull: (error: unknown) => boolean,
): void {
  let bytes: Uint8Array = encoder.encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(write(bytes));
    } catch (error) {
      if (!isFull(error)) return;
      never ??= new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(never, 0, 0, 1);
    }
  }
}
