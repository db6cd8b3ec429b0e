import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';

/** Log file of one action, written as it happens. */
export class ActionLog {
  private constructor(
    readonly path: string,
    private readonly stream: WriteStream,
  ) {}

  static async open(path: string): Promise<ActionLog> {
    await mkdir(dirname(path), { recursive: true });
    return new ActionLog(path, createWriteStream(path));
  }

  line(text: string): void {
    this.stream.write(`${text}\n`);
  }

  chunk(data: Buffer): void {
    this.stream.write(data);
  }

  async close(): Promise<void> {
    this.stream.end();
    await finished(this.stream);
  }
}
