import { type Invocation, RuntimeApiClient } from './client';
import { contextFactory, parse, serialize } from './context';
import { describeError, errorText, RuntimeError } from './errors';
import { type Handler, loadHandler } from './handler';
import type { Platform } from './platform';

/** Set to `1` it lets an answer and the request for the next event share one write. */
const PIPELINING = 'RUNTIME_API_PIPELINING';

/** One event in, one answer out, until the process ends. */
export async function serve(platform: Platform): Promise<void> {
  let client: RuntimeApiClient | undefined;
  let handler: Handler | undefined;
  /** The invocation in hand, for errors that arise outside the handler's own promise. */
  let current: Invocation | undefined;
  /** An answer on its way. */
  let answering: Promise<void> | undefined;
  let failing = false;

  const describe = (thrown: unknown) => {
    const document = describeError(thrown, platform.inspect);
    platform.logError(errorText(document));
    return document;
  };

  /** Reports what no invocation can survive, then ends the process: Lambda starts another one. */
  const fail = async (thrown: unknown): Promise<void> => {
    const document = describe(thrown);
    if (failing) return;
    failing = true;
    try {
      if (!handler) await client?.failInit(document);
      else if (current) await client?.fail(current, document);
      // Its invocation has its answer: that shall arrive, and no other one be blamed.
      else await answering;
    } catch (error) {
      if (error !== thrown) describe(error);
    } finally {
      await platform.exit(1);
    }
  };
  platform.onUncaught(fail);
  platform.onStuck(() => {
    const what = handler ? 'the handler has not answered' : 'the handler has not loaded';
    if (!failing)
      fail(new RuntimeError('NeverSettled', `${what}, and nothing is left to wait for`));
  });

  try {
    const address = platform.getEnv('AWS_LAMBDA_RUNTIME_API') ?? '';
    const pipelining = platform.getEnv(PIPELINING) === '1';
    const api = new RuntimeApiClient(address, platform, pipelining);
    client = api;
    const contextOf = contextFactory(platform);
    const run = await loadHandler(platform);
    handler = run;

    const invoke = async (invocation: Invocation): Promise<string> => {
      const trace = invocation.headers.get('lambda-runtime-trace-id');
      platform.setEnv('_X_AMZN_TRACE_ID', trace || undefined);
      return serialize(await run(parse('event', invocation.body), contextOf(invocation)));
    };

    while (!failing) {
      const invocation = await api.next();
      // An event that comes when the process is about to end must not meet what broke it.
      if (failing) return;
      current = invocation;
      let answer: () => Promise<void>;
      try {
        const body = await invoke(invocation);
        answer = () => api.respond(invocation, body);
      } catch (thrown) {
        if (failing) return;
        const document = describe(thrown);
        answer = () => api.fail(invocation, document);
      }
      if (failing) return;
      current = undefined;
      answering = answer();
      await answering;
      answering = undefined;
    }
  } catch (thrown) {
    await fail(thrown);
  }
}
