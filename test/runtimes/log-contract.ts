import { FakeRuntimeApi } from './fake-runtime-api';
import { layerStarter, type RuntimeDialect } from './running-layer';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const LEVELS = ['trace', 'debug', 'info', 'log', 'warn', 'error', 'fatal'];
const NAMES = ['TRACE', 'DEBUG', 'INFO', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** What every runtime makes of what a function logs. */
export function describeLogContract(dialect: RuntimeDialect): void {
  const start = layerStarter(dialect, () => FakeRuntimeApi.start());
  /** What a handler of this body logs, record by record; the last one is `end`. */
  const logOf = async (body: string, environment: Record<string, string> = {}) => {
    const layer = await start(
      `console.log('init'); export const handler = (event) => { ${body} };`,
      environment,
    );
    for (const tenant of ['blue', undefined]) {
      await layer.api.invoke({}, tenant ? { 'Lambda-Runtime-Aws-Tenant-Id': tenant } : {});
    }
    await layer.logged(/end.*end.*\n/s);
    return layer.log.trimEnd().split('\n');
  };
  const all = LEVELS.map((level) => `console.${level}?.('${level}');`).join('');

  test('loses nothing when a child has made the pipe non-blocking', async () => {
    const unblock = 'import os; os.set_blocking(1, False)';
    const layer = await start(`
      import { spawnSync } from 'node:child_process';
      export const handler = () => {
        spawnSync('python3', ['-c', '${unblock}'], { stdio: 'inherit' });
        for (let line = 0; line < 20_000; line++) console.log('line ' + line + '.'.repeat(200));
        console.log('end');
      };`);
    await layer.api.invoke({});
    await layer.logged(/\tend\n/);
    expect(layer.log.match(/\tline \d+\.{200}$/gm)).toHaveLength(20_000);
  });

  /** Fails with an error that tells more than type, message and stack. */
  const telling = `export const handler = () => {
    const circle = {};
    circle.self = circle;
    const cause = Object.assign(new RangeError('below'), { step: 3 });
    throw Object.assign(new TypeError('denied', { cause }), {
      code: 'AccessDenied', $metadata: { httpStatusCode: 403 }, circle, big: 7n,
    });
  };`;
  /** What a connection to a name with several addresses fails with says nothing by itself. */
  const several = `export const handler = () => {
    throw new AggregateError([new RangeError('first'), new Error('second')]);
  };`;
  const hostile = `export const handler = () => {
    const error = Object.assign(new Error('hostile'), { code: 'E' });
    Object.defineProperty(error, 'getter', { enumerable: true, get() { throw 1; } });
    error.self = error;
    error.shows = { get [Symbol.for('nodejs.util.inspect.custom')]() { throw 2; } };
    throw new Proxy(error, {});
  };`;
  const silent = `export const handler = () => {
    throw new Proxy(new Error('silent'), { ownKeys() { throw 1; } });
  };`;

  describe('as text', () => {
    test('a record has time, request id, level and message, and is one line', async () => {
      const records = (
        await logOf(`
          console.log('two\\nlines', { a: 1 });
          console.warn('%s is %d %i %f %j%% %c-', 'x', 4.5, 4.5, '1.5', { b: [2] }, 'css', 'more');
          console.error(new TypeError('oh'));
          console.log('100%', 1n, undefined);
          console.log('end');`)
      ).map((record) => record.split('\t'));
      expect(records).toHaveLength(11);
      for (const [time] of records) expect(time).toMatch(TIME);
      expect(records.map(([, id, level]) => `${id} ${level}`)).toEqual([
        '- INFO',
        ...['1', '2'].flatMap((id) =>
          ['INFO', 'WARN', 'ERROR', 'INFO', 'INFO'].map((level) => `${id} ${level}`),
        ),
      ]);
      expect(records[1]?.[3]).toMatch(/^two\rlines \{\s*a: 1,?\s*\}$/);
      expect(records[2]?.[3]).toBe('x is 4.5 4 1.5 {"b":[2]}% - more');
      expect(records[3]?.[3]).toMatch(/TypeError: oh/);
      expect(records[4]?.[3]).toBe('100% 1n undefined');
    });

    test('placeholders are filled in as by util.format', async () => {
      const [, record] = await logOf(`
        class Money { toString() { return '4 EUR'; } }
        console.log('%s %s %s %d %d', new Money(), 1n, -0, new Date(7), -0);
        console.log('end');`);
      expect(record?.split('\t')[3]).toBe('4 EUR 1n -0 7 -0');
    });

    test.each([
      ['4', 1],
      ['1', 0],
    ])('says what it cannot do when Lambda wants %s events at a time', async (most, warnings) => {
      const records = await logOf("console.log('end');", { AWS_LAMBDA_MAX_CONCURRENCY: most });
      const found = records.filter((record) => /WARN.*PerExecutionEnvironment/.test(record));
      expect(found).toHaveLength(warnings);
    });

    test('the error of an invocation is one record, with its stack', async () => {
      const layer = await start("export const handler = () => { throw new RangeError('bad'); };");
      await layer.api.invoke({});
      await layer.logged('\n');
      expect(layer.log).toMatch(/^\S+\t1\tERROR\tRangeError: bad\r {4}at [^\n]+\n$/);
    });

    test('… and with what it has of its own, which the service is not told', async () => {
      const layer = await start(telling);
      const { body } = await layer.api.invoke({});
      expect(Object.keys(JSON.parse(body))).toEqual([
        'errorType',
        'errorMessage',
        'stackTrace',
        'cause',
      ]);
      expect(Object.keys(JSON.parse(body).cause)).toHaveLength(3);
      await layer.logged('\n');
      const [top, below] = layer.log.split('Caused by: ');
      expect(top).toMatch(/TypeError: denied\r {4}at .* \{.*code: ['"]AccessDenied['"]/s);
      expect(top).toMatch(/httpStatusCode: 403.*ircular.*big: 7n/s);
      expect(below).toMatch(/^RangeError: below\r.* \{\s*step: 3,?\s*\}\n$/s);
    });

    test('… and with the errors that an AggregateError has', async () => {
      const layer = await start(several);
      await layer.api.invoke({});
      await layer.logged(/\n$/);
      expect(layer.log).toMatch(
        /AggregateError: \r.*errors: \[.*Error: first.*Error: second.*\n$/s,
      );
    });

    test('… however hard it makes that', async () => {
      for (const code of [hostile, silent]) {
        const layer = await start(code);
        const { errorMessage } = JSON.parse((await layer.api.invoke({})).body);
        expect((await layer.api.invoke({})).path).toBe('/invocation/2/error');
        await layer.logged(new RegExp(`Error: ${errorMessage}[^\\n]*\\n`));
      }
    });
  });

  describe('as JSON', () => {
    const JSON_FORMAT = { AWS_LAMBDA_LOG_FORMAT: 'JSON' };
    const recordsOf = async (body: string, environment = JSON_FORMAT) =>
      (await logOf(body, environment)).map((record) => JSON.parse(record));

    test('a record has time, level, request id, tenant and message', async () => {
      const [init, ...records] = await recordsOf(`
        console.info('two\\nlines'); console.warn({ a: { b: 1 } }); console.log('%s-', 'x', 7);
        console.log('end');`);
      expect(init).toEqual({ timestamp: init.timestamp, level: 'INFO', message: 'init' });
      expect(init.timestamp).toMatch(TIME);
      const messages = ['two\nlines', { a: { b: 1 } }, 'x- 7', 'end'];
      const levels = ['INFO', 'WARN', 'INFO', 'INFO'];
      expect(records.map(({ timestamp, ...record }) => record)).toEqual(
        [{ requestId: '1', tenantId: 'blue' }, { requestId: '2' }].flatMap((invocation) =>
          messages.map((message, at) => ({ level: levels[at], ...invocation, message })),
        ),
      );
    });

    test('errors have type, message and stack, what is not JSON is shown', async () => {
      const records = await recordsOf(`
        const circle = {}; circle.self = circle;
        console.error(Object.assign(new TypeError('alone'), { code: 7 }));
        console.error('with text', new RangeError('beside'));
        console.log({ nested: new Error('inside') });
        console.log(circle); console.log(1n); console.log(undefined); console.log();
        console.log('end');`);
      const stackTrace = expect.arrayContaining([expect.stringMatching(/^at /)]);
      expect(records.slice(1, 8)).toMatchObject([
        { message: { errorType: 'TypeError', errorMessage: 'alone', stackTrace, code: 7 } },
        { message: expect.stringMatching(/^with text /), errorType: 'RangeError', stackTrace },
        { message: { nested: { errorType: 'Error', errorMessage: 'inside' } } },
        { message: expect.stringMatching(/self: .*[Cc]ircular/) },
        { message: '1n' },
        { message: 'undefined' },
        { message: '' },
      ]);
    });

    test('the error of an invocation, of an init and a refusal are records too', async () => {
      const layer = await start(
        "export const handler = () => { throw new TypeError('bad'); };",
        JSON_FORMAT,
      );
      layer.api.postStatus = 413;
      await layer.api.invoke({});
      await layer.logged(/\n.*\n/s);
      const [error, refusal] = layer.log
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(error).toMatchObject({
        level: 'ERROR',
        requestId: '1',
        message: { errorType: 'TypeError', errorMessage: 'bad' },
      });
      expect(refusal).toMatchObject({ level: 'WARN', message: expect.stringContaining('413') });
      await layer.stop();
      const broken = await start("throw new TypeError('broken');", JSON_FORMAT);
      await broken.api.nextPost();
      await broken.exited;
      expect(JSON.parse(broken.log)).toMatchObject({ message: { errorMessage: 'broken' } });
    });

    test('the error of an invocation has what it has of its own', async () => {
      const messageOf = async (code: string) => {
        const layer = await start(code, JSON_FORMAT);
        await layer.api.invoke({});
        await layer.logged('\n');
        return JSON.parse(layer.log).message;
      };
      expect(await messageOf(telling)).toMatchObject({
        errorType: 'TypeError',
        errorMessage: 'denied',
        code: 'AccessDenied',
        $metadata: { httpStatusCode: 403 },
        circle: expect.stringMatching(/self: .*[Cc]ircular/),
        big: '7n',
        cause: { errorType: 'RangeError', errorMessage: 'below', step: 3 },
      });
      expect(await messageOf(hostile)).toMatchObject({
        errorMessage: 'hostile',
        code: 'E',
        getter: '[a getter that throws]',
        self: expect.any(String),
      });
      expect(await messageOf(silent)).toMatchObject({ errorMessage: 'silent' });
    });

    test('an AggregateError has its errors', async () => {
      const errors = [{ errorMessage: 'first' }, { errorMessage: 'second' }];
      const layer = await start(several, JSON_FORMAT);
      await layer.api.invoke({});
      await layer.logged('\n');
      expect(JSON.parse(layer.log).message).toMatchObject({ errorType: 'AggregateError', errors });
      const [, logged] = await recordsOf(`
        console.error(new AggregateError([new RangeError('first'), new Error('second')]));
        console.log('end');`);
      expect(logged.message).toMatchObject({ errorType: 'AggregateError', errors });
    });

    test('errors that lead to each other are walked round once', async () => {
      const [, record, reads] = await recordsOf(`
        let reads = 0;
        const one = new Error('one');
        const other = Object.assign(new Error('other'), { cause: one });
        const get = () => { reads++; return other; };
        Object.defineProperty(one, 'other', { enumerable: true, get });
        console.error(one); console.log(reads); console.log('end');`);
      expect(record.message).toMatch(/one.*other/s);
      expect(reads.message).toBeLessThan(10);
    });

    test.each([
      ['WARN', ['WARN', 'ERROR', 'FATAL']],
      ['debug', ['DEBUG', 'INFO', 'INFO', 'WARN', 'ERROR', 'FATAL']],
      ['FATAL', ['FATAL']],
      ['TRACE', NAMES],
      ['nonsense', NAMES],
    ])('from level %s on', async (level, expected) => {
      const environment = { ...JSON_FORMAT, AWS_LAMBDA_LOG_LEVEL: level };
      const records = await recordsOf(`${all} console.fatal('end');`, environment);
      const own = records.filter(({ message }) => LEVELS.includes(message));
      expect(own.map((record) => record.level)).toEqual([...expected, ...expected]);
    });
  });

  describe('nothing is lost', () => {
    test.each([{ AWS_LAMBDA_LOG_FORMAT: 'Text' }, { AWS_LAMBDA_LOG_FORMAT: 'JSON' }])(
      'when the handler ends the process, with %j',
      async (environment) => {
        const layer = await start(
          `export const handler = () => {
            for (let line = 0; line < 20_000; line++) console.log('line ' + line + '.'.repeat(40));
            console.error('last words');
            (globalThis.Deno ?? process).exit(3);
          };`,
          environment,
        );
        layer.api.invoke({});
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(await layer.exited).toBe(3);
        expect(layer.log.match(/line \d+\.{40}/g)).toHaveLength(20_000);
        expect(layer.log).toContain('last words');
      },
    );
  });
}
