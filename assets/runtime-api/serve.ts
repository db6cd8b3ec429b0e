import { callbackStyle } from './callback-style';
import { isChunks, writeChunks } from './chunks';
import { type Invocation, RuntimeApiClient } from './client';
import { contextFactory, parse, serialize } from './context';
import { describeError, type ErrorDocument, RuntimeError } from './errors';
import { type Handler, loadHandler } from './handler';
import { Log } from './log';
import type { Platform } from './platform';
import { offerStreaming, responseStream } from './response-stream';
import type { StreamedAnswer } from './streamed-answer';

/** Set to `1` it lets an answer and the request for the next event share one write. */
const PIPELINING = 'RUNTIME_API_PIPELINING';
/** How many events Lambda Managed Instances want one process to work on at a time. */
const CONCURRENCY = 'AWS_LAMBDA_MAX_CONCURRENCY';

/** One event in, one answer out, until the process ends. */
export async function serve(platform: Platform): Promise<void> {
  let client: RuntimeApiClient | undefined;
  let handler: Handler | undefined;
  /** The invocation in hand, for errors that arise outside the handler's own promise. */
  let current: Invocation | undefined;
  /** Its answer, when that goes out in pieces. */
  let streamed: StreamedAnswer | undefined;
  /** An answer on its way. */
  let answering: Promise<void> | undefined;
  let failing = false;
  /** What to do when nothing is left to wait for; without it that is an error. */
  let whenIdle: (() => void) | undefined;

  const log = new Log(platform);
  log.takeOver(console);
  const describe = (thrown: unknown) => {
    const document = describeError(thrown, platform.inspect);
    log.error(document);
    return document;
  };

  /** An invocation's one post: an answer in pieces that has begun ends with the error. */
  const failInvocation = async (
    invocation: Invocation,
    pieces: StreamedAnswer | undefined,
    document: ErrorDocument,
  ): Promise<void> => {
    if (pieces?.begun) return pieces.fail(document);
    pieces?.abandon();
    await client?.fail(invocation, document);
  };

  /** Reports what no invocation can survive, then ends the process: Lambda starts another one. */
  const fail = async (thrown: unknown): Promise<void> => {
    const document = describe(thrown);
    if (failing) return;
    failing = true;
    try {
      if (!handler) await client?.failInit(document);
      else if (current) await failInvocation(current, streamed, document);
      // Its invocation has its answer: that shall arrive, and no other one be blamed.
      else await answering;
    } catch (error) {
      if (error !== thrown) describe(error);
    } finally {
      await platform.exit(1, thrown);
    }
  };
  platform.onUncaught(fail);
  platform.onStuck(() => {
    const action = whenIdle;
    whenIdle = undefined;
    if (failing) return;
    if (action) return action();
    const what = handler ? 'the handler has not answered' : 'the handler has not loaded';
    fail(new RuntimeError('NeverSettled', `${what}, and nothing is left to wait for`));
  });

  try {
    const address = platform.getEnv('AWS_LAMBDA_RUNTIME_API') ?? '';
    const pipelining = platform.getEnv(PIPELINING) === '1';
    const api = new RuntimeApiClient(address, platform, (text) => log.warn(text), pipelining);
    client = api;
    const concurrency = platform.getEnv(CONCURRENCY) ?? '';
    if (Number(concurrency) > 1) {
      log.warn(
        `${CONCURRENCY} is ${concurrency}, and this runtime takes one event at a time; set PerExecutionEnvironmentMaxConcurrency to 1`,
      );
    }
    // Libraries would look for a store of each concurrent invocation, and fail without one.
    if (concurrency !== '') platform.setEnv(CONCURRENCY, undefined);
    const contextOf = contextFactory(platform);
    offerStreaming();
    const loaded = await loadHandler(platform);
    // Meanwhile a rejection comes up that the module has left alone: it is the init's error.
    await api.open().finally(() => {
      handler = loaded;
    });
    const { streaming } = loaded;
    const run = loaded.callsBack
      ? callbackStyle(loaded.run, (action) => {
          whenIdle = action;
        })
      : loaded.run;
    // Loaded for those that need it only: it takes time.
    const Writable = streaming && (await import('node:stream')).Writable;

    /** Runs the handler; what is left to do then is to send the answer, or its end. */
    const invoke = async (invocation: Invocation): Promise<() => Promise<void>> => {
      // The loop sleeps from here on: what a handler makes current (AsyncLocalStorage) ends with it.
      await undefined;
      const trace = invocation.headers.get('lambda-runtime-trace-id');
      platform.setEnv('_X_AMZN_TRACE_ID', trace || undefined);
      const event = parse('event', invocation.body);
      invocation.body = '';
      const context = contextOf(invocation);
      if (Writable) {
        const pieces = api.stream(invocation);
        streamed = pieces;
        const { stream, finished } = responseStream(Writable, pieces, streaming.highWaterMark);
        await run(event, stream, context);
        await finished;
        return () => pieces.conclude();
      }
      const answer = await run(event, context);
      if (isChunks(answer)) {
        const pieces = api.stream(invocation);
        streamed = pieces;
        await writeChunks(answer, (bytes) => pieces.write(bytes), pieces.useless);
        await pieces.close();
        return () => pieces.conclude();
      }
      const body = serialize(answer);
      return () => api.respond(invocation, body);
    };

    /** Comes to an answer and begins to send it. What that took can be collected while it is sent. */
    const work = async (invocation: Invocation): Promise<void> => {
      current = invocation;
      log.invocation = invocation;
      let answer: () => Promise<void>;
      try {
        answer = await invoke(invocation);
      } catch (thrown) {
        if (failing) return;
        const document = describe(thrown);
        const pieces = streamed;
        answer = () => failInvocation(invocation, pieces, document);
      }
      if (failing) return;
      current = undefined;
      streamed = undefined;
      answering = answer();
    };

    while (!failing) {
      const invocation = await api.next();
      // An event that comes when the process is about to end must not meet what broke it.
      if (failing) return;
      await work(invocation);
      await answering;
      answering = undefined;
    }
  } catch (thrown) {
    await fail(thrown);
  }
}
