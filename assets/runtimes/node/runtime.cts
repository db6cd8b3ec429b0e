// Client of the Lambda Runtime API for Node.js.
import { connect as connectTcp } from 'node:net';
import { decodeInPieces } from '../../runtime-api/http/index.js';
import { type Receiver, type Socket, serve } from '../../runtime-api/index.js';
import { nodePlatform } from '../../runtime-api/node-platform.js';
import { importFromNodePath, loadModule } from './modules.cjs';

const READ_BYTES = 64 * 1024;
/**
 * Bytes of the longest text that Node.js makes within V8's heap (below EXTERN_APEX, string_bytes.cc).
 * What lies outside is freed by the next full collection only, tens of megabytes later.
 */
const MOST_IN_HEAP = 0xfbee8;
/** Small enough for the nursery itself, so that no pieces take memory of their own. */
const PIECE_BYTES = 64 * 1024;
/** As it is now: what observes or forbids a function's connections is not asked about these. */
const openTcp = connectTcp;

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
    const socket = openTcp({ host, port, noDelay: true, onread });
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
 * Where an ES module does not parse, or what imports what is not there, Node.js says only of an error
 * that ends it.
 */
function exit(code: number, thrown: unknown): Promise<void> {
  const stack = thrown instanceof SyntaxError ? `${thrown.stack}` : '';
  // Not what a function's own code has thrown: that has its place, and may stand in one long line.
  const [top = ''] = /^ +at .*/m.exec(stack) ?? [];
  if (stack.startsWith('SyntaxError') && top.includes('node:internal/modules/')) {
    process.removeAllListeners('uncaughtException');
    queueMicrotask(() => {
      throw thrown;
    });
  }
  return nodePlatform.exit(code);
}

importFromNodePath();
serve({
  ...nodePlatform,
  exit,
  extensions: ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'],
  loadModule,
  connect,
  decode: decodeInPieces(MOST_IN_HEAP, PIECE_BYTES),
});
