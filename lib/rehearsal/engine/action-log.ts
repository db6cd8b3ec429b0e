import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { LayersError } from '../../errors';

/** Log file of one action, written as it happens. */
export class ActionLog {
  private constructor(
    readonly path: string,
    private readonly stream: WriteStream,
  ) {
    // An error that nobody listens for would end this process; close() tells it.
    stream.on('error', () => undefined);
  }

  /** @throws LayersError LogNotWritten */
  static async open(path: string): Promise<ActionLog> {
    await mkdir(dirname(path), { recursive: true }).catch((error) => notWritten(path, error));
    return new ActionLog(path, createWriteStream(path));
  }

  line(text: string): void {
    this.stream.write(`${text}\n`);
  }

  chunk(data: Buffer): void {
    this.stream.write(data);
  }

  /** @throws LayersError LogNotWritten with the first error, if there was one */
  async close(): Promise<void> {
    await finished(this.stream.end()).catch((error) => notWritten(this.path, error));
  }
}

function notWritten(path: string, error: Error): never {
  throw new LayersError(
    'LogNotWritten',
    `the action's log ${path} cannot be written: ${error.message}`,
    { cause: error },
  );
}
