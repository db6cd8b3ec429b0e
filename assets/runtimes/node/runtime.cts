// Client of the Lambda Runtime API for Node.js.
import { connect as connectTcp } from 'node:net';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Receiver, type Socket, serve } from '../../runtime-api/index.js';
import { nodePlatform } from '../../runtime-api/node-platform.js';

/** Of `node:module`, since Node.js 22.15. */
interface ModuleLoader {
  registerHooks(hooks: {
    resolve(specifier: string, context: object, next: Resolve): unknown;
  }): void;
}
type Resolve = (specifier: string, context: object) => unknown;

const READ_BYTES = 64 * 1024;

function connect(host: string, port: number, receiver: Receiver): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let lost: Error | undefined;
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(length: number, buffer: Uint8Array) {
        receiver.receive(buffer.subarray(0, length));
        return true;
      },
    };
    const socket = connectTcp({ host, port, noDelay: true, onread });
    socket.once('connect', () =>
      resolve({
        get busy() {
          return socket.writableLength > 0;
        },
        write(bytes, taken) {
          socket.write(bytes, taken);
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
 * `import` ignores NODE_PATH, which `require` obeys: what is found nowhere else is looked for from
 * the folders that hold its `node_modules`.
 */
function importFromNodePath(): void {
  const parents = (process.env.NODE_PATH ?? '')
    .split(':')
    .filter((path) => path.endsWith('/node_modules'))
    .map((path) => pathToFileURL(`${dirname(path)}/`).href);
  // Hooks slow every import down.
  if (parents.length === 0) return;
  // Not imported: it takes a third of a millisecond of a start.
  const loader = process.getBuiltinModule('node:module') as unknown as ModuleLoader;
  loader.registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        for (const parentURL of parents) {
          try {
            return next(specifier, { ...context, parentURL });
          } catch {
            // The first error names the place that the reader knows.
          }
        }
        throw error;
      }
    },
  });
}

importFromNodePath();
serve({
  ...nodePlatform,
  extensions: ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'],
  connect,
});
