import { parseAddress } from './address';
import { Connection, ConnectionLost } from './connection';
import { type ErrorDocument, errorTypeHeader, RuntimeError, xrayCause } from './errors';
import { encodeRequest, RequestEncoder, type Response } from './http';
import { original } from './original';
import type { Platform } from './platform';
import { StreamedAnswer } from './streamed-answer';

const timers = original('setTimeout');
/** Not `performance`: Node.js takes half a millisecond of a start to load that. */
const { now } = Date;

const BASE = '/2018-06-01/runtime';
/** How often something that may be done again is tried, without a wait before the second time. */
const ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 50;
/** A connection that stood this long was no failed attempt. */
const STEADY_MILLISECONDS = 1000;
/** How long a response may stay ahead of the request that it answers. */
const DRAIN_MILLISECONDS = 1000;
/** After so long a handler that computes may have kept the end of its connection from being read. */
const SILENT_MILLISECONDS = 1000;

export interface Invocation {
  readonly id: string;
  /** By lowercase name. */
  readonly headers: ReadonlyMap<string, string>;
  /** The event, JSON text; empty once it was taken, for a large one should not outlive its use. */
  body: string;
}

/**
 * The Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) over one
 * keep-alive connection. A GET is sent again after a lost connection, because no event of it was
 * seen; a POST never is, once a byte of it may have arrived.
 */
export class RuntimeApiClient {
  private readonly host: string;
  private readonly port: number;
  private readonly encoder: RequestEncoder;
  private readonly nextRequest: Uint8Array;
  private connection: Connection | undefined;
  /** An attempt under way, which an answer in pieces and its error may both wait for. */
  private opening: Promise<Connection> | undefined;
  /** Response to a GET that went out with the POST before it. */
  private prefetched: Promise<Response> | undefined;

  /**
   * @param address `host:port`
   * @param warn gets what goes wrong and can be gone on from
   * @param pipelining whether an answer and the request for the next event share one write
   */
  constructor(
    private readonly address: string,
    private readonly platform: Pick<Platform, 'connect' | 'decode' | 'currentFolder'>,
    private readonly warn: (text: string) => void,
    private readonly pipelining: boolean,
  ) {
    const { host, port } = parseAddress(address);
    this.host = host;
    this.port = port;
    this.encoder = new RequestEncoder(address);
    this.nextRequest = encodeRequest('GET', `${BASE}/invocation/next`, address);
  }

  /** @throws RuntimeError `Runtime.ConnectionFailed` */
  async open(): Promise<void> {
    await this.connect();
  }

  /**
   * Waits for the next event, however long that takes.
   *
   * @throws RuntimeError, MalformedResponse or ConnectionLost, none of which can be gone on from
   */
  async next(): Promise<Invocation> {
    for (let attempt = 1; ; attempt++) {
      const started = now();
      try {
        return invocationOf(await this.nextResponse());
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        if (now() - started > STEADY_MILLISECONDS) attempt = 1;
        if (attempt === ATTEMPTS) throw error;
        await sleep((attempt - 1) * PAUSE_MILLISECONDS);
      }
    }
  }

  /** Answers an invocation with JSON text. */
  respond(invocation: Invocation, body: string): Promise<void> {
    const target = `${BASE}/invocation/${encodeURIComponent(invocation.id)}/response`;
    return this.post(target, echo(invocation), body, this.pipelining);
  }

  /** An answer in pieces; nothing of it is sent before its first piece. */
  stream(invocation: Invocation): StreamedAnswer {
    const target = `${BASE}/invocation/${encodeURIComponent(invocation.id)}/response`;
    return new StreamedAnswer({
      startLine: `POST ${target} HTTP/1.1\r\nHost: ${this.address}\r\n${echo(invocation)}`,
      connect: async () => this.standing ?? (await this.connect()),
      conclude: (answered) => this.conclude(target, answered),
    });
  }

  async fail(invocation: Invocation, error: ErrorDocument): Promise<void> {
    const target = `${BASE}/invocation/${encodeURIComponent(invocation.id)}/error`;
    const fields = echo(invocation) + this.errorFields(error);
    await this.post(target, fields, JSON.stringify(error), false);
  }

  async failInit(error: ErrorDocument): Promise<void> {
    await this.post(`${BASE}/init/error`, this.errorFields(error), JSON.stringify(error), false);
  }

  private errorFields(error: ErrorDocument): string {
    const type = `Lambda-Runtime-Function-Error-Type: ${errorTypeHeader(error.errorType)}\r\n`;
    const cause = xrayCause(error, this.platform.currentFolder());
    return cause ? `${type}Lambda-Runtime-Function-XRay-Error-Cause: ${cause}\r\n` : type;
  }

  /** The connection, where nothing has to be waited for to know that a post may be sent on it. */
  private get standing(): Connection | undefined {
    const { connection } = this;
    if (!connection?.ready || now() - connection.heard > SILENT_MILLISECONDS) return undefined;
    return connection;
  }

  private nextResponse(): Promise<Response> {
    const { prefetched, connection } = this;
    this.prefetched = undefined;
    if (prefetched) return connection?.ready ? prefetched : behindAnswer(connection, prefetched);
    if (connection?.ready) return connection.send(this.nextRequest);
    return this.connect().then((opened) => opened.send(this.nextRequest));
  }

  /** Not async: that would keep the body, which may be large, until the response has come. */
  private post(target: string, fields: string, body: string, pipelined: boolean): Promise<void> {
    const tail = pipelined ? this.nextRequest : undefined;
    const send = (connection: Connection) =>
      this.send(connection, target, this.encoder.post(target, fields, body, tail), pipelined);
    const { standing } = this;
    return standing ? send(standing) : this.connect().then(send);
  }

  private async send(
    connection: Connection,
    target: string,
    request: Uint8Array,
    pipelined: boolean,
  ): Promise<void> {
    if (!pipelined) return this.conclude(target, connection.send(request));
    const answered = connection.expect();
    this.prefetched = connection.send(request);
    // Whoever waits for the next event sees the error; until then it is not an unhandled one.
    this.prefetched.catch(() => {});
    await this.conclude(target, answered);
  }

  /** What the response to a post means; @throws RuntimeError when the process has to end. */
  private async conclude(target: string, answered: Promise<Response>): Promise<void> {
    let response: Response;
    try {
      response = await answered;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      this.warn(`POST ${target} may have arrived and is not sent again: ${error.message}`);
      return;
    }
    if (response.status < 300) return;
    const refusal = `POST ${target} answered ${response.status}: ${response.body}`;
    // "Container error. Non-recoverable state. Runtime should exit promptly."
    if (response.status >= 500) throw new RuntimeError('ApiError', refusal);
    // Lambda has recorded a refusal (413 too large, 410 too late) itself: another post would be wrong.
    this.warn(refusal);
  }

  /** A connection that a request may be sent on; nothing has been sent when this fails. */
  private connect(): Promise<Connection> {
    this.opening ??= this.reconnect();
    return this.opening;
  }

  private async reconnect(): Promise<Connection> {
    try {
      const { connection } = this;
      if (connection?.open && (await drained(connection))) return connection;
      connection?.close();
      for (let attempt = 1; ; attempt++) {
        try {
          this.connection = await Connection.open(this.platform, this.host, this.port);
          return this.connection;
        } catch (error) {
          if (!(error instanceof ConnectionLost)) throw error;
          if (attempt === ATTEMPTS) throw new RuntimeError('ConnectionFailed', error.message);
          await sleep(attempt * PAUSE_MILLISECONDS);
        }
      }
    } finally {
      this.opening = undefined;
    }
  }
}

/** @throws RuntimeError */
function invocationOf({ status, headers, body }: Response): Invocation {
  if (status !== 200) {
    throw new RuntimeError('NextInvocationError', `next answered ${status}: ${body}`);
  }
  const id = headers.get('lambda-runtime-aws-request-id');
  if (!id) throw new RuntimeError('NextInvocationError', 'next answered without a request id');
  return { id, headers, body };
}

function echo({ headers }: Invocation): string {
  const id = headers.get('lambda-runtime-invocation-id');
  return id === undefined ? '' : `Lambda-Runtime-Invocation-Id: ${id}\r\n`;
}

/**
 * The response to a GET that lies behind an answer of which the other side had not taken all when it
 * responded, and perhaps never will.
 */
async function behindAnswer(
  connection: Connection | undefined,
  response: Promise<Response>,
): Promise<Response> {
  if (connection && !(await drained(connection))) connection.close();
  return response;
}

async function drained(connection: Connection): Promise<boolean> {
  // Counted, because the clock may be set meanwhile. The first wait may be over before anything is
  // read, when it took long to come to it.
  for (let waited = 0; connection.open && waited < DRAIN_MILLISECONDS; waited++) {
    if (connection.ready && waited > 1) return true;
    await sleep(1);
  }
  return connection.ready;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => timers()(resolve, milliseconds));
}
