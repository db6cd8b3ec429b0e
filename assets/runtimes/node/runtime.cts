// Client of the Lambda Runtime API for Node.js.
import { connect as connectTcp } from 'node:net';
import { type Receiver, type Socket, serve } from '../../runtime-api/index.js';
import { nodePlatform } from '../../runtime-api/node-platform.js';

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

serve({
  ...nodePlatform,
  extensions: ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'],
  connect,
});
