const FAR_TOO_LARGE = 4;
const USES = 4;

/**
 * Says how long a buffer is kept for the next use: until it was far too large for so many in a row.
 * Large events that follow each other share one; one alone must not hold its memory for ever.
 */
export class Retention {
  private tooLarge = 0;

  /** @param kept a buffer of so many bytes is never let go */
  constructor(private readonly kept: number) {}

  /** Whether a buffer stays after a use. */
  keeps(bufferBytes: number, usedBytes: number): boolean {
    if (bufferBytes <= this.kept) return true;
    this.tooLarge = usedBytes * FAR_TOO_LARGE < bufferBytes ? this.tooLarge + 1 : 0;
    if (this.tooLarge < USES) return true;
    this.tooLarge = 0;
    return false;
  }
}
