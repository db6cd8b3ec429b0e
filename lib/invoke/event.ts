import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { LayersError } from '../errors';
import { typedPath } from '../options';

/** What Lambda takes; the emulator cuts the rest off. */
const MAX_BYTES = 6 * 1024 * 1024;

/** Where an event comes from. */
export interface EventSource {
  /** The file that is read anew each time, where there is one. */
  readonly file?: string;
  /** The event as JSON text. @throws LayersError `InvalidEvent`, `UnreadableEvent` */
  read(): Promise<string>;
}

/**
 * An event by what was typed: a file, `-` for standard input, or JSON itself. A name that is a file
 * is one, whatever it looks like.
 */
export function eventSource(typed: string): EventSource {
  if (typed === '-') {
    let input: Promise<string> | undefined;
    return {
      read: async () => {
        input ??= text(process.stdin);
        return json(await input, 'standard input');
      },
    };
  }
  const file = typedPath('invoke', typed);
  if (isFile(file)) {
    return { file, read: async () => json(await readFile(file, 'utf8'), file) };
  }
  if (!/^\s*([[{"\d-]|true|false|null)/.test(typed)) {
    throw new LayersError(
      'UnreadableEvent',
      `event "${typed}" is neither a file nor JSON; give a file, - for standard input, or JSON such as '{"name":"world"}'`,
    );
  }
  return { read: async () => json(typed, 'event') };
}

function json(value: string, what: string): string {
  try {
    JSON.parse(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LayersError('InvalidEvent', `${what} is not JSON: ${reason}; correct it`, { cause });
  }
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_BYTES) {
    throw new LayersError(
      'InvalidEvent',
      `${what} has ${bytes} bytes, and Lambda takes at most ${MAX_BYTES} (6 MB); shorten it`,
    );
  }
  return value;
}

function isFile(path: string): boolean {
  // A long JSON text is no file name at all.
  if (path.length > 1000 || path.includes('\n')) return false;
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
