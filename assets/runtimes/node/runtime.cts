// Client of the Lambda Runtime API for Node.js.
import { statSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { type Receiver, type Socket, serve } from '../../runtime-api/index.js';

const READ_BYTES = 64 * 1024;

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
        write(bytes) {
          unwritten++;
          socket.write(bytes, written);
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

serve({
  extensions: ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'],
  getEnv: (name) => process.env[name],
  setEnv: (name, value) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  },
  currentFolder: () => process.cwd(),
  isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false,
  importFile: (path) => import(pathToFileURL(path).href),
  inspect,
  logError: (text) => {
    process.stderr.write(`${text}\n`);
  },
  exit: (code) => process.exit(code),
  onUncaught: (callback) => {
    process.on('uncaughtException', callback);
    process.on('unhandledRejection', callback);
  },
  connect,
});
