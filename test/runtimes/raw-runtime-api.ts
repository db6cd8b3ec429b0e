import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { RuntimeApi } from './running-layer';

const PREFIX = '/2018-06-01/runtime';

/** A request as it came over the wire. */
export class RawRequest {
  constructor(
    /** `GET /invocation/next` */
    readonly line: string,
    readonly headers: ReadonlyMap<string, string>,
    readonly body: string,
    readonly socket: Socket,
  ) {}

  reply(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** One packet a byte, as far as the system lets one. */
  async replyByteByByte(bytes: string): Promise<void> {
    for (const byte of Buffer.from(bytes)) {
      this.socket.write(Uint8Array.of(byte));
      await setImmediate();
    }
  }
}

/** A Runtime API whose responses a test writes itself, down to the byte. */
export class RawRuntimeApi implements RuntimeApi {
  private readonly arrived: RawRequest[] = [];
  private waiting: ((request: RawRequest) => void) | undefined;
  readonly sockets: Socket[] = [];
  /** Start lines of all requests. */
  readonly lines: string[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.setNoDelay();
      // Tests cut connections off on purpose.
      socket.on('error', () => {});
      this.read(socket);
    });
  }

  static async start(): Promise<RawRuntimeApi> {
    const server = createServer({ allowHalfOpen: true });
    const api = new RawRuntimeApi(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return api;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next request, whatever it is. */
  async next(): Promise<RawRequest> {
    return (
      this.arrived.shift() ??
      (await new Promise<RawRequest>((resolve) => {
        this.waiting = resolve;
      }))
    );
  }

  /** The next request, of which the test knows the start line. */
  async expect(line: string): Promise<RawRequest> {
    const request = await this.next();
    if (request.line !== line) throw new Error(`${request.line} came instead of ${line}`);
    return request;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private read(socket: Socket): void {
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (end === -1) return;
        const [first, ...fields] = text.slice(0, end).split('\r\n') as [string, ...string[]];
        const headers = new Map(
          fields.map((field): [string, string] => {
            const [name, value] = field.split(/: (.*)/s) as [string, string];
            return [name.toLowerCase(), value];
          }),
        );
        const length = Number(headers.get('content-length') ?? 0);
        if (text.length < end + 4 + length) return;
        const body = Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString();
        text = text.slice(end + 4 + length);
        const [, method, path] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(first) ?? [];
        const line = `${method} ${path?.slice(PREFIX.length)}`;
        this.deliver(new RawRequest(line, headers, body, socket));
      }
    });
  }

  private deliver(request: RawRequest): void {
    this.lines.push(request.line);
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) waiting(request);
    else this.arrived.push(request);
  }
}

/** Start line of the request for an event. */
export const NEXT = 'GET /invocation/next';
export const ACCEPTED = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n';

/** An event as Lambda sends it. */
export function eventResponse(
  id: string,
  event: unknown,
  fields: Record<string, string> = {},
): string {
  const body = JSON.stringify(event);
  return [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json',
    `Lambda-Runtime-Aws-Request-Id: ${id}`,
    `Lambda-Runtime-Deadline-Ms: ${Date.now() + 30_000}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
