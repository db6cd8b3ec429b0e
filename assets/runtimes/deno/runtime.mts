// Client of the Lambda Runtime API for Deno.
import { importFile, type Receiver, type Socket, serve } from '../../runtime-api/index.js';
import { writeAll } from '../../runtime-api/write-all.js';

/** What is used here of https://docs.deno.com/api/deno. */
declare const Deno: {
  readonly env: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
    delete(name: string): void;
  };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  connect(options: { hostname: string; port: number }): Promise<TcpConn>;
  cwd(): string;
  exit(code: number): never;
  inspect(value: unknown): string;
  readDirSync(path: string): Iterable<{ readonly name: string; readonly isFile: boolean }>;
  statSync(path: string): { readonly isFile: boolean };
};
interface TcpConn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(): void;
  ref(): void;
  unref(): void;
  close(): void;
}
declare function addEventListener(
  type: 'beforeunload' | 'error' | 'unhandledrejection',
  listener: (event: { preventDefault(): void; error?: unknown; reason?: unknown }) => void,
): void;

const READ_BYTES = 64 * 1024;
const { env, exit } = Deno;

async function connect(hostname: string, port: number, receiver: Receiver): Promise<Socket> {
  const conn = await Deno.connect({ hostname, port });
  conn.setNoDelay();
  let unwritten = 0;
  let closed = false;
  const close = () => {
    if (!closed) conn.close();
    closed = true;
  };

  const read = async () => {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (;;) {
        const length = await conn.read(buffer);
        if (length === null) break;
        receiver.receive(buffer.subarray(0, length));
      }
      receiver.ended();
    } catch (error) {
      receiver.ended(error as Error);
    }
    close();
  };
  const write = async (bytes: Uint8Array, taken?: () => void) => {
    unwritten++;
    try {
      let at = await conn.write(bytes);
      while (at < bytes.length) at += await conn.write(bytes.subarray(at));
      unwritten--;
    } catch {
      // The connection stays busy and is given up; whether a response came all the same, `read` tells.
    }
    taken?.();
  };

  read();
  return {
    get busy() {
      return unwritten > 0;
    },
    write,
    awaited(yes) {
      if (yes) conn.ref();
      else conn.unref();
    },
    close,
  };
}

/**
 * Asks the folder first: a `stat` that fails takes more than a millisecond of a start, because its
 * error remembers the stack.
 */
function findFile(paths: readonly string[]): string | undefined {
  const [path = ''] = paths;
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  /** Whether it is a file; a link may lead to one. */
  const entries = new Map<string, boolean>();
  try {
    for (const { name, isFile } of Deno.readDirSync(folder)) entries.set(folder + name, isFile);
  } catch (error) {
    if (isMissing(error)) return undefined;
    // A folder that may not be listed can still hold the file.
    return paths.find(isFile);
  }
  return paths.find((path) => entries.get(path) || (entries.has(path) && isFile(path)));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ['NotFound', 'NotADirectory'].includes((error as Error).name);
}

// Without await: Deno would end a main module that waits for ever before `beforeunload`.
serve({
  extensions: ['.ts', '.js', '.mjs', '.mts', '.cjs', '.cts', '.tsx', '.jsx'],
  getEnv: (name) => env.get(name),
  setEnv: (name, value) => {
    if (value === undefined) env.delete(name);
    else env.set(name, value);
  },
  currentFolder: Deno.cwd,
  findFile,
  loadModule: importFile,
  inspect: Deno.inspect,
  print: (text) =>
    writeAll(
      text,
      (bytes) => Deno.stdout.writeSync(bytes),
      (error) => (error as Error).name === 'WouldBlock',
    ),
  exit: async (code) => exit(code),
  onUncaught: (callback) => {
    addEventListener('unhandledrejection', (event) => {
      event.preventDefault();
      callback(event.reason);
    });
    addEventListener('error', (event) => {
      event.preventDefault();
      callback(event.error);
    });
  },
  onStuck: (callback) => {
    addEventListener('beforeunload', (event) => {
      event.preventDefault();
      callback();
    });
  },
  connect,
});
