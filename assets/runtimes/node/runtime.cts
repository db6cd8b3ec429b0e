// Client of the Lambda Runtime API for Node.js.
import { existsSync, statSync, writeSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { type Receiver, type Socket, serve } from '../../runtime-api/index.js';

const READ_BYTES = 64 * 1024;
/** A reader that has stopped must not keep the process. */
const FLUSH_MILLISECONDS = 2000;

/** Never changes: waiting for it is sleeping. */
const WAITED_FOR = new Int32Array(new SharedArrayBuffer(4));

// Taken before the handler loads: what it patches must not reach this loop.
const { setTimeout } = globalThis;

function connect(host: string, port: number, receiver: Receiver): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let unwritten = 0;
    let lost: Error | undefined;
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(length: number, buffer: Uint8Array) {
        receiver.receive(buffer.subarray(0, length));
        return true;
      },
    };
    const socket = connectTcp({ host, port, noDelay: true, onread });
    const written = () => {
      unwritten--;
    };
    socket.once('connect', () =>
      resolve({
        get busy() {
          return unwritten > 0;
        },
        write(bytes, taken) {
          unwritten++;
          if (!taken) socket.write(bytes, written);
          else {
            socket.write(bytes, () => {
              written();
              taken();
            });
          }
        },
        awaited(yes) {
          if (yes) socket.ref();
          else socket.unref();
        },
        close() {
          socket.destroy();
        },
      }),
    );
    socket.on('error', (error) => {
      lost = error;
      reject(error);
    });
    socket.on('end', () => receiver.ended());
    socket.on('close', () => receiver.ended(lost));
  });
}

/**
 * `process.stdout` would write to a pipe that is full later on, which `process.exit` does not wait
 * for, and making it costs a millisecond of every start.
 */
function print(text: string): void {
  let bytes: Uint8Array = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      // Nobody reads any more: there is no place left to say so.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(WAITED_FOR, 0, 0, 1);
    }
  }
}

/** What the handler wrote to `process.stdout` itself may still wait for its reader. */
async function exit(code: number): Promise<void> {
  const flushed = [process.stdout, process.stderr].map(
    (stream) => new Promise((resolve) => stream.write('', resolve)),
  );
  const enough = new Promise((resolve) => setTimeout(resolve, FLUSH_MILLISECONDS));
  await Promise.race([Promise.all(flushed), enough]);
  process.exit(code);
}

serve({
  extensions: ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'],
  getEnv: (name) => process.env[name],
  setEnv: (name, value) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  },
  currentFolder: () => process.cwd(),
  isFile: (path) => existsSync(path) && statSync(path).isFile(),
  importFile: (path) => import(pathToFileURL(path).href),
  inspect,
  print,
  exit,
  onUncaught: (callback) => {
    process.on('uncaughtException', callback);
    process.on('unhandledRejection', callback);
  },
  onStuck: (callback) => {
    process.on('beforeExit', callback);
  },
  connect,
});
