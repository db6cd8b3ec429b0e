import { constants, openSync, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { LayersError, reasonOf } from '../errors';
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
  if (typed === '-') return readOnce(() => text(process.stdin), 'standard input');
  const path = typedPath('invoke', typed);
  const stat = statOf(path);
  if (stat?.isFile()) return { file: path, read: async () => json(await contents(path), path) };
  // A pipe, such as the shell's <(…), gives what it has only once.
  if (stat?.isFIFO()) return readOnce(() => contentsOfPipe(path), path);
  if (!/^\s*([[{"\d-]|true|false|null)/.test(typed)) {
    throw new LayersError(
      'UnreadableEvent',
      `event "${typed}" is neither a file nor JSON; give a file, - for standard input, or JSON such as '{"name":"world"}'`,
    );
  }
  return { read: async () => json(typed, 'event') };
}

function readOnce(read: () => Promise<string>, what: string): EventSource {
  let input: Promise<string> | undefined;
  return {
    read: async () => {
      input ??= read();
      return json(await input, what);
    },
  };
}

async function contents(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** As a stream that waits for its writer: a thread that does would hold up the end of the process. */
async function contentsOfPipe(pipe: string): Promise<string> {
  try {
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    return await text(new Socket({ fd, writable: false }));
  } catch (cause) {
    throw unreadable(pipe, cause);
  }
}

function unreadable(path: string, cause: unknown): LayersError {
  const reason = reasonOf(cause);
  return new LayersError(
    'UnreadableEvent',
    `event ${path} cannot be read: ${reason}; name a file that you may read`,
    { cause },
  );
}

function json(found: string, what: string): string {
  const value = found.replace(/^\uFEFF/, '');
  try {
    JSON.parse(value);
  } catch (cause) {
    const reason = reasonOf(cause);
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

/** What is at a path; a JSON text is none, and often too long to be one. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
