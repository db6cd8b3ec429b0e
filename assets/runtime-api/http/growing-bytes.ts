import { Retention } from './retention';

const FIRST = 4096;
const KEPT = 64 * 1024;

/** Bytes that grow by doubling, so that many small pieces cost no more than their sum. */
export class GrowingBytes {
  private bytes = new Uint8Array(0);
  private readonly retention = new Retention(KEPT);
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
    if (!this.retention.keeps(this.bytes.length, this.length)) this.bytes = new Uint8Array(0);
    this.length = 0;
  }
}
