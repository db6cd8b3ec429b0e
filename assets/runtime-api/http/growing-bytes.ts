const FIRST = 4096;
/**
 * A buffer above this is let go when it was far too large for so many uses in a row: large events
 * that follow each other share it, one alone must not hold its memory for ever.
 */
const KEPT = 64 * 1024;
const FAR_TOO_LARGE = 4;
const USES = 4;

/** Bytes that grow by doubling, so that many small pieces cost no more than their sum. */
export class GrowingBytes {
  private bytes = new Uint8Array(0);
  private tooLarge = 0;
  length = 0;

  /** Makes room for this many bytes in all. */
  reserve(capacity: number): void {
    if (capacity <= this.bytes.length) return;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  append(source: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.bytes.length) this.reserve(Math.max(FIRST, length, 2 * this.bytes.length));
    this.bytes.set(source.subarray(from, to), this.length);
    this.length = length;
  }

  /** The bytes, until the next change. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    const { length, bytes } = this;
    this.length = 0;
    if (bytes.length <= KEPT) return;
    this.tooLarge = length * FAR_TOO_LARGE < bytes.length ? this.tooLarge + 1 : 0;
    if (this.tooLarge < USES) return;
    this.bytes = new Uint8Array(0);
    this.tooLarge = 0;
  }
}
