import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

const PREFIX = '/2018-06-01/runtime';

/** What a runtime sent to the Runtime API. */
export interface Post {
  /** Below the API's version: `/invocation/1/response`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
}

/** A post that a test reads and answers itself. */
export interface OpenPost {
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Lambda's Runtime API for one runtime: events in order, answers as they arrive. */
export class FakeRuntimeApi {
  private readonly server: Server;
  private readonly events: { body: string; headers: Record<string, string> }[] = [];
  private readonly posts: Post[] = [];
  private waitingForEvent: ServerResponse | undefined;
  private waitingForPost: ((post: Post) => void) | undefined;
  private waitingForOpenPost: ((post: OpenPost) => void) | undefined;
  private invocations = 0;
  /** Remote ports that connected: one a connection. */
  readonly connections = new Set<number>();
  /** Status that the next posts get. */
  postStatus = 202;

  private constructor() {
    this.server = createServer((request, response) => {
      this.connections.add(request.socket.remotePort as number);
      const path = (request.url as string).slice(PREFIX.length);
      if (path === '/invocation/next') {
        this.waitingForEvent = response;
        this.sendEvent();
        return;
      }
      if (this.waitingForOpenPost) {
        this.waitingForOpenPost({ path, request, response });
        this.waitingForOpenPost = undefined;
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(this.postStatus).end('{"status":"OK"}');
        const { headers, trailers } = request;
        this.posts.push({ path, headers, body: Buffer.concat(chunks).toString(), trailers });
        this.deliverPost();
      });
    });
  }

  static async start(): Promise<FakeRuntimeApi> {
    const api = new FakeRuntimeApi();
    api.server.listen(0, '127.0.0.1');
    await once(api.server, 'listening');
    return api;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Sends an event (text goes as it is) and gives what the runtime posts next. */
  invoke(event: unknown, headers: Record<string, string> = {}): Promise<Post> {
    const body = typeof event === 'string' ? event : JSON.stringify(event);
    this.events.push({ body, headers });
    this.sendEvent();
    return this.nextPost();
  }

  nextPost(): Promise<Post> {
    return new Promise((resolve) => {
      this.waitingForPost = resolve;
      this.deliverPost();
    });
  }

  /** Sends an event and gives the post that follows as soon as its head has come. */
  open(event: unknown): Promise<OpenPost> {
    return new Promise((resolve) => {
      this.waitingForOpenPost = resolve;
      this.events.push({ body: JSON.stringify(event), headers: {} });
      this.sendEvent();
    });
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private sendEvent(): void {
    if (!this.waitingForEvent) return;
    const event = this.events.shift();
    if (!event) return;
    this.invocations += 1;
    this.waitingForEvent.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': String(this.invocations),
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + 30_000),
      'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:eu-west-1:111111111111:function:f',
      ...event.headers,
    });
    this.waitingForEvent.end(event.body);
    this.waitingForEvent = undefined;
  }

  private deliverPost(): void {
    if (!this.waitingForPost) return;
    const post = this.posts.shift();
    if (!post) return;
    this.waitingForPost(post);
    this.waitingForPost = undefined;
  }
}
