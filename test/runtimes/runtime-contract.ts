import { FakeRuntimeApi } from './fake-runtime-api';
import { CALLING_BACK, FAILING } from './handler-code';
import { layerStarter, type RuntimeDialect } from './running-layer';

/** What every runtime does for a function, against a Runtime API of the test's own. */
export function describeRuntimeContract(dialect: RuntimeDialect): void {
  const { file, parseError } = dialect;
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());
  const extension = file.slice(file.indexOf('.'));

  describe('an invocation', () => {
    test('is answered, one after the other, over connections that are kept', async () => {
      const { api } = await start('export const handler = (event) => ({ got: event });');
      for (const id of ['1', '2', '3']) {
        const post = await api.invoke({ ä: id });
        expect(post.path).toBe(`/invocation/${id}/response`);
        expect(JSON.parse(post.body)).toEqual({ got: { ä: id } });
      }
      expect(api.connections.size).toBeLessThanOrEqual(2);
    });

    test('gets Lambda’s context', async () => {
      const { api } = await start(`
        export async function handler(event, context) {
          const left = context.getRemainingTimeInMillis();
          return { ...context, inTime: left > 20000 && left <= 30000 };
        }`);
      const post = await api.invoke(
        {},
        {
          'Lambda-Runtime-Client-Context': '{"client":{"installation_id":"i"}}',
          'Lambda-Runtime-Cognito-Identity': '{"cognitoIdentityId":"c"}',
          'Lambda-Runtime-Aws-Tenant-Id': 'tenant',
          'Lambda-Runtime-Trace-Id': 'Root=1-2-3',
        },
      );
      expect(JSON.parse(post.body)).toEqual({
        functionName: 'f',
        functionVersion: '7',
        memoryLimitInMB: '512',
        logGroupName: '/aws/lambda/f',
        logStreamName: 'stream',
        invokedFunctionArn: 'arn:aws:lambda:eu-west-1:111111111111:function:f',
        awsRequestId: '1',
        clientContext: { client: { installation_id: 'i' } },
        identity: { cognitoIdentityId: 'c' },
        tenantId: 'tenant',
        xRayTraceId: 'Root=1-2-3',
        inTime: true,
      });
    });

    test('sees its own trace id, and none when Lambda sends none', async () => {
      const { api } = await start(`
        const read = () => globalThis.Deno
          ? Deno.env.get('_X_AMZN_TRACE_ID') : process.env._X_AMZN_TRACE_ID;
        export const handler = () => ({ trace: read() ?? 'none' });`);
      const traced = await api.invoke({}, { 'Lambda-Runtime-Trace-Id': 'Root=1-2-3' });
      expect(JSON.parse(traced.body)).toEqual({ trace: 'Root=1-2-3' });
      expect(JSON.parse((await api.invoke({})).body)).toEqual({ trace: 'none' });
    });

    test('is alone for libraries, too, that ask how many events there are at a time', async () => {
      const read = (name: string) =>
        `(globalThis.Deno ? Deno.env.get('${name}') : process.env.${name}) ?? 'unset'`;
      const code = `const atInit = ${read('AWS_LAMBDA_MAX_CONCURRENCY')};
        export const handler = () => [atInit, ${read('AWS_LAMBDA_MAX_CONCURRENCY')}];`;
      const { api } = await start(code, { AWS_LAMBDA_MAX_CONCURRENCY: '1' });
      expect((await api.invoke({})).body).toBe('["unset","unset"]');
    });

    test('begins without what an earlier one made current for its asynchronous work', async () => {
      const store = `import { AsyncLocalStorage } from 'node:async_hooks';
        const store = new AsyncLocalStorage();
        // Before a store is used for the first time Node.js 22 follows no promises.
        store.run('init', () => {});
        const enter = () => {
          const found = String(store.getStore());
          store.enterWith('mine');
          return found;
        };`;
      const handlers = [
        'export const handler = enter;',
        'export const handler = async () => { const found = enter(); await null; return found; };',
        'export const handler = (event, context, callback) => callback(null, enter());',
        `export const handler = awslambda.streamifyResponse(async (event, stream) => {
          stream.end(JSON.stringify(enter()));
        });`,
      ];
      for (const handler of handlers) {
        const { api } = await start(`${store} ${handler}`);
        for (let event = 0; event < 3; event++) {
          expect((await api.invoke({})).body).toBe('"undefined"');
        }
      }
    });

    test('leaves the W3C trace context as it came, in the event and in the environment', async () => {
      const context = {
        baggage: 'user=%C3%A9, k = v;p=1,,tenant=a%2Cb',
        Tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7 ,',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      };
      const environment = {
        TRACEPARENT: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
        TRACESTATE: 'vendor=x',
        BAGGAGE: 'a=b',
      };
      const names = Object.keys(environment);
      const { api } = await start(
        `const read = (name) => globalThis.Deno ? Deno.env.get(name) : process.env[name];
        export const handler = (event) => ({ event, environment: ${JSON.stringify(names)}.map(read) });`,
        environment,
      );
      const event = { headers: context, Records: [{ messageAttributes: context }] };
      const expected = JSON.stringify({ event, environment: Object.values(environment) });
      const root = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
      for (const headers of [{}, { 'Lambda-Runtime-Trace-Id': root }, {}]) {
        const post = await api.invoke(event, headers as Record<string, string>);
        expect(post.body).toBe(expected);
        // The Runtime API has no such fields: none is made up.
        expect(Object.keys(post.headers)).not.toEqual(
          expect.arrayContaining([expect.stringMatching(/^(traceparent|tracestate|baggage)$/)]),
        );
      }
    });

    test('has its invocation id echoed, on answers and on errors', async () => {
      const { api } = await start('export const handler = ({ bad }) => { if (bad) throw bad; };');
      const header = { 'Lambda-Runtime-Invocation-Id': 'inv-9' };
      const id = 'lambda-runtime-invocation-id';
      expect((await api.invoke({}, header)).headers[id]).toBe('inv-9');
      expect((await api.invoke({ bad: 1 }, header)).headers[id]).toBe('inv-9');
      expect((await api.invoke({})).headers[id]).toBeUndefined();
    });

    test('without an answer is answered with null', async () => {
      const { api } = await start('export const handler = () => {};');
      expect(await api.invoke({})).toMatchObject({ path: '/invocation/1/response', body: 'null' });
    });

    test('goes on after Lambda has refused an answer', async () => {
      const { api } = await start('export const handler = (event) => event;');
      for (const status of [413, 410]) {
        api.postStatus = status;
        expect((await api.invoke({})).path).toMatch(/response$/);
      }
      api.postStatus = 202;
      expect(await api.invoke({ still: 'here' })).toMatchObject({
        path: '/invocation/3/response',
        body: '{"still":"here"}',
      });
    });
  });

  describe('a handler', () => {
    test('may lie in folders and in an object', async () => {
      const { api } = await start(
        { [`src/api/users${extension}`]: 'export const routes = { get: () => "found" };' },
        {},
        'src/api/users.routes.get',
      );
      expect((await api.invoke({})).body).toBe('"found"');
    });
  });

  describe('a handler in callback style', () => {
    test('answers with what it calls back with, once', async () => {
      const { api } = await start(CALLING_BACK);
      const cases = [
        ['now', '"now"'],
        ['later', '"later"'],
        ['nothing', 'null'],
        ['promise', '"promised"'],
        ['flag', 'true'],
        ['never', 'null'],
        ['async answer', '"called"'],
      ];
      for (const [how, body] of cases) {
        const wait = how === 'async answer' ? { wait: false } : {};
        expect(await api.invoke({ how, ...wait })).toMatchObject({
          path: expect.stringMatching(/response$/),
          body,
        });
      }
    });

    test('fails with the error it calls back with, throws or rejects with', async () => {
      const { api } = await start(CALLING_BACK);
      const cases = [
        ['error', 'TypeError', 'back'],
        ['text', 'string', 'just text'],
        ['throw', 'RangeError', 'thrown'],
        ['reject', 'RangeError', 'rejected'],
        ['async error', 'TypeError', 'called'],
      ];
      const begun = performance.now();
      for (const [how, errorType, errorMessage] of cases) {
        const post = await api.invoke({ how, linger: 60_000 });
        expect(post.path).toMatch(/error$/);
        expect(JSON.parse(post.body)).toMatchObject({ errorType, errorMessage });
      }
      expect((await api.invoke({ how: 'now', wait: false })).body).toBe('"now"');
      // An error does not wait for what lingers.
      expect(performance.now() - begun).toBeLessThan(60_000);
    });

    test('waits for what it has left running, unless it was told not to', async () => {
      const { api } = await start(CALLING_BACK);
      const begun = performance.now();
      await api.invoke({ how: 'later', linger: 60_000, wait: false });
      expect(performance.now() - begun).toBeLessThan(60_000);
      await api.stop();
      const waiting = await start(CALLING_BACK);
      await waiting.api.invoke({ how: 'now' });
      const called = performance.now();
      await waiting.api.invoke({ how: 'later', linger: 1000 });
      expect(performance.now() - called).toBeGreaterThan(950);
    });

    test('calls back too late for another event to be taken for it', async () => {
      const { api } = await start(CALLING_BACK);
      expect((await api.invoke({ how: 'throw late' })).path).toMatch(/error$/);
      expect((await api.invoke({ how: 'never', linger: 200 })).body).toBe('null');
    });

    test('may call back, or keep its promise, when its event was answered long ago', async () => {
      const { api } = await start(`
        let earlier;
        export function handler({ leave }, context, callback) {
          earlier?.(null, 'stale');
          earlier = undefined;
          if (leave === 'callback') earlier = callback;
          if (leave !== 'promise') return;
          callback(null, 'called');
          return new Promise((resolve) => { earlier = resolve; });
        }`);
      for (const [leave, answer] of [
        ['callback', 'null'],
        ['promise', '"called"'],
      ]) {
        expect((await api.invoke({ leave })).body).toBe(answer);
        expect((await api.invoke({})).body).toBe('null');
      }
    });

    test('fails when its promise never settles and nothing is left to wait for', async () => {
      const { api, exited } = await start(CALLING_BACK);
      const post = await api.invoke({ how: 'async never' });
      expect(JSON.parse(post.body).errorType).toBe('Runtime.NeverSettled');
      expect(await exited).toBe(1);
    });
  });

  describe('an invocation fails', () => {
    test('with type, message and stack, and the next one succeeds', async () => {
      const { api } = await start(FAILING);
      const failed = await api.invoke({ how: 'throw' });
      expect(failed.path).toBe('/invocation/1/error');
      expect(failed.headers['lambda-runtime-function-error-type']).toBe('Function.PaymentRefused');
      expect(JSON.parse(failed.body)).toEqual({
        errorType: 'PaymentRefused',
        errorMessage: 'no money',
        stackTrace: expect.arrayContaining([expect.stringMatching(/^at .*handler.*:\d+:\d+\)?$/)]),
      });
      expect(await api.invoke({})).toMatchObject({
        path: '/invocation/2/response',
        body: '"well"',
      });
    });

    test('whatever is thrown, and the loop survives all of it', async () => {
      const { api } = await start(FAILING);
      const type = 'lambda-runtime-function-error-type';
      const cases = [
        ['reject', 'TypeError', 'wrong', 'Function.TypeError'],
        ['string', 'string', 'just text', 'Function.Error'],
        ['null', 'object', 'null', 'Function.Error'],
        ['object', 'object', expect.stringContaining('code: 7'), 'Function.Error'],
        ['odd name', 'Not a name!', 'odd', 'Function.Error'],
        ['long name', 'A'.repeat(20000), 'long', 'Function.Error'],
        ['getters', 'Error', 'told', 'Function.Error'],
        ['runtime type', 'Function.Custom', 'x', 'Function.Custom'],
        ['bigint', 'Runtime.MarshalError', expect.stringMatching(/BigInt/), 'Runtime.MarshalError'],
        [
          'cycle',
          'Runtime.MarshalError',
          expect.stringMatching(/circular|cyclic/),
          'Runtime.MarshalError',
        ],
      ];
      for (const [how, errorType, errorMessage, header] of cases) {
        const post = await api.invoke({ how });
        expect(post.path).toMatch(/error$/);
        expect(post.headers[type]).toBe(header);
        expect(JSON.parse(post.body)).toMatchObject({ errorType, errorMessage });
      }
      expect((await api.invoke({})).body).toBe('"well"');
    });

    test('and X-Ray is told where', async () => {
      const { api } = await start(`
        function broken(message) { throw new RangeError(message); }
        export function handler({ message, type }) {
          if (type) throw Object.assign(new Error(message), { name: type });
          broken(message);
        }`);
      const causeOf = async (event: object) => {
        const { headers } = await api.invoke(event);
        const cause = headers['lambda-runtime-function-xray-error-cause'];
        return cause === undefined ? undefined : JSON.parse(cause as string);
      };
      const cause = await causeOf({ message: 'zu groß\n…' });
      expect(cause).toMatchObject({
        working_directory: expect.stringMatching(/^\//),
        exceptions: [{ type: 'RangeError', message: 'zu groß\n…' }],
        paths: [],
      });
      const [frame] = cause.exceptions[0].stack;
      expect(frame).toEqual({
        path: expect.stringMatching(/^\/.*\/main\.\w+$/),
        line: 2,
        label: 'broken',
      });
      const long = await causeOf({ message: 'x'.repeat(300_000) });
      expect(long.exceptions[0].message).toBe('x'.repeat(2000));
      expect(await causeOf({ message: 'ß'.repeat(3000) })).toBeUndefined();
      expect(await causeOf({ message: 'x', type: 'Bad\r\nX-Injected: 1' })).toMatchObject({
        exceptions: [{ type: 'Bad\r\nX-Injected: 1' }],
      });
    });

    test('with its causes, also when they go round in a circle', async () => {
      const layer = await start(`
        export function handler() {
          const root = new RangeError('root');
          const error = new Error('top', { cause: new TypeError('middle', { cause: root }) });
          root.cause = error;
          throw error;
        }`);
      const error = JSON.parse((await layer.api.invoke({})).body);
      expect(error).toMatchObject({
        errorMessage: 'top',
        cause: {
          errorType: 'TypeError',
          errorMessage: 'middle',
          stackTrace: expect.arrayContaining([expect.stringMatching(/^at /)]),
          cause: { errorType: 'RangeError', errorMessage: 'root' },
        },
      });
      await layer.logged(/Error: top.*Caused by: TypeError: middle.*RangeError: root/s);
    });

    test('with a cause that is no error', async () => {
      const { api } = await start(`
        export const handler = () => { throw new Error('top', { cause: { code: 7 } }); };`);
      expect(JSON.parse((await api.invoke({})).body).cause).toEqual({
        errorType: 'object',
        errorMessage: expect.stringContaining('code: 7'),
        stackTrace: [],
      });
    });

    test('when its event is not JSON', async () => {
      const { api } = await start(FAILING);
      expect(JSON.parse((await api.invoke('{"how":')).body).errorType).toBe(
        'Runtime.UnmarshalError',
      );
      expect((await api.invoke({})).body).toBe('"well"');
    });

    test('and the process ends when an error escapes from the handler', async () => {
      const layer = await start(`
        export const handler = () => new Promise(() => {
          setTimeout(() => Promise.reject(new RangeError('escaped')), 5);
        });`);
      const post = await layer.api.invoke({});
      expect(post.path).toBe('/invocation/1/error');
      expect(JSON.parse(post.body)).toMatchObject({
        errorType: 'RangeError',
        errorMessage: 'escaped',
      });
      expect(await layer.exited).toBe(1);
    });
  });

  test('the process ends although the function has made standard output throw', async () => {
    const layer = await start(`
      globalThis.process.stdout.write = () => { throw new Error('full'); };
      export const handler = () => new Promise(() => {
        setInterval(() => {}, 1000);
        setTimeout(() => Promise.reject(new RangeError('escaped')), 5);
      });`);
    expect(JSON.parse((await layer.api.invoke({})).body).errorMessage).toBe('escaped');
    expect(await layer.exited).toBe(1);
  });

  describe('an init fails', () => {
    test.each([
      ['the file is missing', {}, 'main.handler', 'Runtime.ImportModuleError', /main/],
      [
        'its folder is a file',
        { main: '' },
        'main/sub.handler',
        'Runtime.ImportModuleError',
        /main\/sub/,
      ],
      [
        'the file has no such export',
        { [file]: '' },
        undefined,
        'Runtime.HandlerNotFound',
        /handler/,
      ],
      [
        'the export is no function',
        { [file]: 'export const handler = 1;' },
        undefined,
        'Runtime.HandlerNotFound',
        /handler/,
      ],
      ['the handler has no dot', {}, 'main', 'Runtime.MalformedHandlerName', /"main"/],
      [
        'the handler leaves the folder',
        {},
        '../main.handler',
        'Runtime.MalformedHandlerName',
        /main/,
      ],
      [
        'the module throws',
        { [file]: 'throw new TypeError("broken")' },
        undefined,
        'TypeError',
        /broken/,
      ],
      [
        'the module leaves a rejection alone',
        { [file]: `Promise.reject(new RangeError("left")); export const handler = () => 1;` },
        undefined,
        'RangeError',
        /left/,
      ],
      ['the module does not parse', { [file]: 'export const = ;' }, undefined, parseError, /./],
    ] as const)('when %s', async (_, files, handler, errorType, message) => {
      const layer = await start(files, {}, handler);
      const post = await layer.api.nextPost();
      expect(post.path).toBe('/init/error');
      const header = errorType.startsWith('Runtime.') ? errorType : `Function.${errorType}`;
      expect(post.headers['lambda-runtime-function-error-type']).toBe(header);
      const body = JSON.parse(post.body);
      expect(body).toMatchObject({ errorType, errorMessage: expect.stringMatching(message) });
      expect(Array.isArray(body.stackTrace)).toBe(true);
      expect(await layer.exited).toBe(1);
      expect(layer.log).toContain(errorType);
    });
  });
}
