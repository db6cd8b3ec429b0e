// Client of the Lambda Runtime API for Node.js.
import { existsSync, statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { type Receiver, type Socket, serve } from '../../runtime-api/index.js';

const READ_BYTES = 64 * 1024;
/** A reader that has stopped must not keep the process. */
const FLUSH_MILLISECONDS = 2000;

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

/** Node.js writes to a pipe that is full later on, and `process.exit` would not wait for that. */
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
  logError: (text) => {
    process.stderr.write(`${text}\n`);
  },
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
