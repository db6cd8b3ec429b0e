// @bun
// Client of the Lambda Runtime API for Bun. The line above stands in the bundle, too: without it Bun
// translates the file before it runs it, which takes two milliseconds of a start.
import { importFile, type Receiver, type Socket, serve } from '../../runtime-api/index.js';
import { nodePlatform } from '../../runtime-api/node-platform.js';

/** What is used here of https://bun.com/reference/bun. */
declare const Bun: {
  connect(options: {
    hostname: string;
    port: number;
    socket: {
      open(socket: TcpSocket): void;
      data(socket: TcpSocket, bytes: Uint8Array): void;
      drain(socket: TcpSocket): void;
      end(socket: TcpSocket): void;
      close(socket: TcpSocket, error?: Error): void;
      error(socket: TcpSocket, error: Error): void;
    };
  }): Promise<TcpSocket>;
};
interface TcpSocket {
  /** How many bytes the system has taken; negative when the connection has ended. */
  write(bytes: Uint8Array): number;
  setNoDelay(yes: boolean): void;
  ref(): void;
  unref(): void;
  terminate(): void;
}

/** Bytes that the system has not taken, and who waits for that. */
interface Unwritten {
  readonly bytes: Uint8Array;
  at: number;
  readonly taken?: () => void;
}

async function connect(hostname: string, port: number, receiver: Receiver): Promise<Socket> {
  const unwritten: Unwritten[] = [];
  let awaited = true;
  // Unlike in Node.js and Deno, bytes that wait do not keep the process by themselves.
  const keepAlive = () => {
    if (awaited || unwritten.length > 0) socket.ref();
    else socket.unref();
  };
  const flush = (socket: TcpSocket) => {
    for (let first = unwritten[0]; first; first = unwritten[0]) {
      const written = socket.write(first.bytes.subarray(first.at));
      if (written < 0) return;
      first.at += written;
      if (first.at < first.bytes.length) return;
      unwritten.shift();
      first.taken?.();
    }
  };
  const ended = (error?: Error) => {
    receiver.ended(error);
    for (const { taken } of unwritten) taken?.();
  };
  const socket: TcpSocket = await Bun.connect({
    hostname,
    port,
    socket: {
      open: (opened) => opened.setNoDelay(true),
      data: (_, bytes) => receiver.receive(bytes),
      drain: (writable) => {
        flush(writable);
        keepAlive();
      },
      end: () => ended(),
      close: (_, error) => ended(error),
      error: (_, error) => ended(error),
    },
  });
  return {
    get busy() {
      return unwritten.length > 0;
    },
    write(bytes, taken) {
      unwritten.push({ bytes, at: 0, taken });
      flush(socket);
      if (unwritten.length > 0) keepAlive();
    },
    awaited(yes) {
      awaited = yes;
      keepAlive();
    },
    close: () => socket.terminate(),
  };
}

/** Bun's message for what does not parse has neither place nor stack. */
async function importTelling(path: string): Promise<Record<string, unknown>> {
  try {
    return await importFile(path);
  } catch (error) {
    const { errors = [error] } = error as { errors?: unknown[] };
    const places = errors.map(placeOf).filter((place) => place !== undefined);
    if (places.length === 0 || places.length < errors.length) throw error;
    throw new SyntaxError(places.join('; '), { cause: error });
  }
}

function placeOf(error: unknown): string | undefined {
  const { message, position } = error as {
    message?: string;
    position?: { file: string; line: number; column: number } | null;
  };
  return position ? `${message} (${position.file}:${position.line}:${position.column})` : undefined;
}

serve({
  ...nodePlatform,
  extensions: ['.ts', '.js', '.mjs', '.mts', '.cjs', '.cts', '.tsx', '.jsx'],
  loadModule: importTelling,
  // Bun tells of a rejection that nothing caught only after it has said that nothing is left.
  onStuck: (callback) => nodePlatform.onStuck(() => setImmediate(callback)),
  connect,
});
