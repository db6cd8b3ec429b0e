import { FAILING } from '../handler-code';
import { ACCEPTED, eventResponse, NEXT } from '../raw-runtime-api';
import {
  type AskedClient,
  alive,
  ends,
  expectRaw,
  give,
  invoke,
  LINES,
  postsOf,
  settles,
  TRACE,
  takeAnswer,
  takePosts,
  USUAL,
} from './asked-client';

/** What becomes of an event, and of an error. */
export function askForInvocations({ dialect, row, start, startRaw }: AskedClient): void {
  const logging = 'export const handler = async () => console.log("handler ran");';

  row('answers one after the other over a kept connection', async () => {
    const layer = await start('export const handler = async (event) => ({ got: event });');
    const answered = async (n: number) => {
      const post = await invoke(layer, { ä: n });
      expect(post.path).toBe(`/invocation/${n}/response`);
      expect(JSON.parse(post.body)).toEqual({ got: { ä: n } });
    };
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) await answered(n);
    expect(layer.api.connections.size).toBeLessThan(8);
  });

  row('every field of the context, remaining time from the deadline', async () => {
    const layer = await start(`
      export async function handler(event, context) {
        const left = context.getRemainingTimeInMillis();
        return { ...context, inTime: left > 20000 && left <= 30000 };
      }`);
    const post = await invoke(
      layer,
      {},
      {
        'Lambda-Runtime-Client-Context': '{"client":{"installation_id":"i"}}',
        'Lambda-Runtime-Cognito-Identity': '{"cognitoIdentityId":"c"}',
      },
    );
    expect(JSON.parse(post.body)).toMatchObject({
      functionName: 'f',
      functionVersion: '7',
      memoryLimitInMB: '512',
      logGroupName: '/aws/lambda/f',
      logStreamName: 'stream',
      invokedFunctionArn: USUAL['Lambda-Runtime-Invoked-Function-Arn'],
      awsRequestId: '1',
      clientContext: { client: { installation_id: 'i' } },
      identity: { cognitoIdentityId: 'c' },
      inTime: true,
    });
  });

  row('trace id set and unset per invocation', async () => {
    const layer = await start(`
      const read = () => globalThis.Deno
        ? Deno.env.get('_X_AMZN_TRACE_ID') : process.env._X_AMZN_TRACE_ID;
      export const handler = async () => ({ trace: read() || 'none' });`);
    const traced = await invoke(layer, {});
    expect(JSON.parse(traced.body)).toEqual({ trace: TRACE });
    const { 'Lambda-Runtime-Trace-Id': _, ...untraced } = USUAL;
    const post = await alive(layer, layer.api.invoke({}, untraced));
    expect(JSON.parse(post.body)).toEqual({ trace: 'none' });
  });

  row(
    'W3C trace context (`traceparent`, `tracestate`, `baggage`) untouched in events and environment, none made up',
    async () => {
      const headers = {
        baggage: 'user=%C3%A9, k = v;p=1,,tenant=a%2Cb',
        Tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7 ,',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      };
      const environment = { TRACEPARENT: '00-4bf9-00f0-00', TRACESTATE: 'v=x', BAGGAGE: 'a=b' };
      const layer = await start(
        `const read = (name) => globalThis.Deno ? Deno.env.get(name) : process.env[name];
        export const handler = async (event) =>
          ({ event, environment: ${JSON.stringify(Object.keys(environment))}.map(read) });`,
        environment,
      );
      for (let time = 0; time < 2; time++) {
        const post = await invoke(layer, { headers });
        const expected = { event: { headers }, environment: Object.values(environment) };
        expect(JSON.parse(post.body)).toEqual(expected);
        const sent = Object.keys(post.headers).join();
        expect(sent).not.toMatch(/traceparent|tracestate|baggage/);
      }
    },
  );

  row('`Lambda-Runtime-Invocation-Id` echoed on answers and errors', async () => {
    const layer = await start('export const handler = async ({ bad }) => { if (bad) throw bad; };');
    const header = { 'Lambda-Runtime-Invocation-Id': 'inv-9' };
    for (const event of [{}, { bad: 1 }]) {
      const { headers } = await invoke(layer, event, header);
      expect(headers['lambda-runtime-invocation-id']).toBe('inv-9');
    }
  });

  row('`undefined` is answered with `null`', async () => {
    const layer = await start('export const handler = async () => {};');
    expect(await invoke(layer, {})).toMatchObject({
      path: '/invocation/1/response',
      body: 'null',
    });
  });

  row('`a/b/file.one.two`', async () => {
    const extension = dialect.file.slice(dialect.file.indexOf('.'));
    const layer = await start(
      { [`src/api/users${extension}`]: 'export const routes = { get: () => "found" };' },
      {},
      'src/api/users.routes.get',
    );
    expect((await invoke(layer, {})).body).toBe('"found"');
  });

  row('throw, reject, throw of a non-error; type, message, stack', async () => {
    const layer = await start(FAILING);
    const fail = async (how: string) => {
      const post = await invoke(layer, { how });
      expect(post.path).toMatch(/error$/);
      return JSON.parse(post.body);
    };
    for (const [how, errorType, errorMessage] of [
      ['throw', 'PaymentRefused', 'no money'],
      ['reject', 'TypeError', 'wrong'],
    ]) {
      const error = await fail(how as string);
      expect(error).toMatchObject({ errorType, errorMessage });
      // Lambda's own Node.js runtime calls it so.
      const stack = error.stackTrace ?? error.trace;
      expect(stack.join('\n')).toContain('main');
    }
    expect((await fail('string')).errorMessage).toContain('just text');
    await fail('null');
    expect((await invoke(layer, {})).body).toBe('"well"');
  });

  row('BigInt and cycles fail that invocation only', async () => {
    const layer = await start(FAILING);
    for (const how of ['bigint', 'cycle']) {
      expect((await invoke(layer, { how })).path).toMatch(/error$/);
    }
    expect((await invoke(layer, {})).body).toBe('"well"');
  });

  row('an event that is not JSON', async () => {
    const layer = await startRaw(logging);
    const body = eventResponse('x', {}, USUAL).replace(/\{\}$/, '{"');
    (await expectRaw(layer, NEXT)).reply(body);
    void takePosts(layer);
    const ended = await settles(layer);
    expect(ended || postsOf(layer).includes('POST /invocation/x/error')).toBe(true);
    expect(layer.log).not.toContain('handler ran');
  });

  row('an uncaught error fails the invocation and ends the process', async () => {
    const layer = await startRaw(`
      export const handler = async () => new Promise((resolve) => {
        setTimeout(() => Promise.reject(new RangeError('escaped')), 5);
        setTimeout(resolve, 1000, 'fine');
      });`);
    give(await expectRaw(layer, NEXT), 'x', {});
    void takePosts(layer);
    await ends(layer);
    expect(postsOf(layer)).not.toContain('POST /invocation/x/response');
    expect(layer.log).toContain('escaped');
  });

  row("… and is the invocation's one post, even if the handler then answers", async () => {
    const layer = await startRaw(`
      export const handler = async () => {
        Promise.reject(new RangeError('early'));
        return new Promise((resolve) => setTimeout(resolve, 50, 'fine'));
      };`);
    give(await expectRaw(layer, NEXT), 'x', {});
    void takePosts(layer, 300);
    await ends(layer);
    const answers = postsOf(layer).filter((line) => line.includes('/invocation/'));
    expect(['', 'POST /invocation/x/error']).toContain(answers.join());
  });

  row('a late rejection or exception blames no answered invocation', async () => {
    for (const late of ['Promise.reject(new RangeError("late"))', 'thrown()']) {
      const layer = await startRaw(`
        const thrown = () => { throw new RangeError('late'); };
        export const handler = async (event) => { setTimeout(() => { ${late}; }, 200); return event; };`);
      give(await expectRaw(layer, NEXT), 'x', {});
      await takeAnswer(layer, 'x');
      await expectRaw(layer, NEXT);
      void takePosts(layer);
      await settles(layer);
      expect(layer.api.lines).not.toContain('POST /invocation/x/error');
      await layer.stop();
    }
  });

  row('… lets an answer on its way arrive and takes no other event', async () => {
    const layer = await startRaw(`
      export const handler = async (event) => {
        setTimeout(() => Promise.reject(new RangeError('late')), 50);
        return event;
      };`);
    give(await expectRaw(layer, NEXT), 'x', {});
    const answer = await expectRaw(layer, 'POST /invocation/x/response');
    setTimeout(() => answer.reply(ACCEPTED), 500);
    void takePosts(layer);
    await settles(layer);
    const said = layer.api.lines.filter((line) => line !== 'POST /init/error');
    expect(said).toEqual([NEXT, 'POST /invocation/x/response']);
  });

  row('output before such an error is not lost', async () => {
    const layer = await startRaw(`
      export const handler = async () => {
        ${LINES}
        setTimeout(() => { throw new RangeError('broken'); });
        return new Promise(() => {});
      };`);
    give(await expectRaw(layer, NEXT), 'x', {});
    void takePosts(layer);
    await settles(layer);
    expect(layer.log.match(/line \d+\.{40}/g)?.length).toBe(20_000);
    expect(layer.log).toContain('broken');
  });
}
