import { reasonOf } from './errors';
import { type Decode, type Response, ResponseReader } from './http';
import type { Platform, Receiver, Socket } from './platform';

/** The connection ended before a response had arrived in full. */
export class ConnectionLost extends Error {
  override readonly name = 'Runtime.ConnectionLost';

  constructor(reason: string) {
    super(`the connection to the Runtime API was lost: ${reason}`);
  }
}

const { now } = Date;

interface Waiting {
  resolve(response: Response): void;
  reject(error: unknown): void;
}

/** One keep-alive connection; it is finished with the first thing that goes wrong on it. */
export class Connection implements Receiver {
  private socket: Socket | undefined;
  private readonly waiting: Waiting[] = [];
  private readonly reader: ResponseReader;
  private finished = false;
  private partDone: () => void = () => {};
  /** When the latest response came. */
  heard = now();

  private constructor(decode?: Decode) {
    this.reader = new ResponseReader((response) => this.deliver(response), decode);
  }

  /** @throws ConnectionLost when nobody listens */
  static async open(
    { connect, decode }: Pick<Platform, 'connect' | 'decode'>,
    host: string,
    port: number,
  ): Promise<Connection> {
    const connection = new Connection(decode);
    let socket: Socket;
    try {
      socket = await connect(host, port, connection);
    } catch (error) {
      throw new ConnectionLost(reasonOf(error));
    }
    if (connection.finished) socket.close();
    connection.socket = socket;
    return connection;
  }

  /** Whether a request may be sent: the connection stands, and what was sent before is gone. */
  get ready(): boolean {
    return !this.finished && this.socket?.busy === false;
  }

  get open(): boolean {
    return !this.finished;
  }

  /** Sends one request, or the last one of several that are in the bytes. */
  send(bytes: Uint8Array): Promise<Response> {
    const response = this.expect();
    this.awaitResponse();
    this.socket?.write(bytes);
    return response;
  }

  /** Sends a part of a request, one after the other; resolves when it is taken, or never will be. */
  sendPart(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.partDone = resolve;
      if (this.finished || !this.socket) resolve();
      else this.socket.write(bytes, resolve);
    });
  }

  /** Whether the process shall live for a response that is missing. */
  awaitResponse(yes = true): void {
    this.socket?.awaited(yes);
  }

  /** The response of a request whose bytes follow. */
  expect(): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.finished) reject(new ConnectionLost('it had ended before'));
      else this.waiting.push({ resolve, reject });
    });
  }

  close(): void {
    this.finish(new ConnectionLost('it was closed on this side'));
  }

  receive(bytes: Uint8Array): void {
    if (this.finished) return;
    try {
      this.reader.push(bytes);
    } catch (error) {
      this.finish(error);
    }
  }

  ended(reason?: Error): void {
    if (this.finished) return;
    const cut = !this.reader.end();
    const what = cut ? 'it ended in the middle of a response' : 'it ended before the response';
    this.finish(new ConnectionLost(reason ? reasonOf(reason) : what));
  }

  private deliver(response: Response): void {
    this.heard = now();
    const waiting = this.waiting.shift();
    // While a handler works, only what it waits for itself shall keep the process alive.
    if (this.waiting.length === 0) this.socket?.awaited(false);
    // A server may say why it hangs up on an idle connection (408); nobody has asked for that.
    if (!waiting) this.finish(new ConnectionLost('a response came without a request'));
    else waiting.resolve(response);
    if (!response.keepAlive) this.finish(new ConnectionLost('the other side closed it'));
  }

  private finish(error: unknown): void {
    if (this.finished) return;
    this.finished = true;
    this.socket?.close();
    for (const { reject } of this.waiting.splice(0)) reject(error);
    this.partDone();
  }
}
