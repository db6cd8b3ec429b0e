import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../lib/rehearsal/tools/command';
import { PROJECT, realLayer, writeFiles } from '../layers/fixtures';
import { FakeRuntimeApi } from '../runtimes/fake-runtime-api';
import { RunningLayer } from '../runtimes/running-layer';
import { temporaryFolder } from '../temporary-folder';

/** An HTTP API asks for `/hello?name=you`. */
const REQUEST = {
  version: '2.0',
  rawPath: '/hello',
  rawQueryString: 'name=you',
  headers: { host: 'api.example.com' },
  requestContext: {
    domainName: 'api.example.com',
    http: { method: 'GET', path: '/hello', sourceIp: '192.0.2.1' },
  },
  isBase64Encoded: false,
};

const HANDLERS = {
  'powertools.mjs': `
    import { Logger } from '@aws-lambda-powertools/logger';
    import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
    import { Metrics } from '@aws-lambda-powertools/metrics';
    import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
    import middy from '@middy/core';
    const logger = new Logger({ serviceName: 'orders' });
    const metrics = new Metrics({ namespace: 'shop', serviceName: 'orders' });
    export const handler = middy(async (event, context) => {
      logger.info('taken', { path: event.rawPath });
      metrics.addMetric('Taken', 'Count', 1);
      return context.awsRequestId;
    }).use(injectLambdaContext(logger)).use(logMetrics(metrics));`,
  'hono.mjs': `
    import { Hono } from 'hono';
    import { handle, streamHandle } from 'hono/aws-lambda';
    import { streamText } from 'hono/streaming';
    const whole = new Hono().get('/hello', (c) => c.json({ hello: c.req.query('name') }));
    const pieces = new Hono().get('/hello', (c) => streamText(c, async (stream) => {
      await stream.write('hello ');
      await stream.sleep(20);
      await stream.write(c.req.query('name'));
    }));
    export const handler = handle(whole);
    export const streaming = streamHandle(pieces);`,
  'express.cjs': `
    const app = require('express')();
    app.get('/hello', (request, response) => response.json({ hello: request.query.name }));
    exports.handler = require('serverless-http')(app);`,
  'plain.js': "exports.handler = async () => 'plain';",
  'module.mjs': "export const handler = async () => 'module';",
  'trace.cjs': `
    const { registerInstrumentations } = require('@opentelemetry/instrumentation');
    const { AwsLambdaInstrumentation } = require('@opentelemetry/instrumentation-aws-lambda');
    const { NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');
    const exporter = {
      export(spans, done) {
        for (const { name } of spans) console.log('span of', name);
        done({ code: 0 });
      },
      shutdown: async () => {},
      forceFlush: async () => {},
    };
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
    registerInstrumentations({ instrumentations: [new AwsLambdaInstrumentation()] });`,
  'sentry.cjs': `
    const Sentry = require('@sentry/aws-serverless');
    const transport = () => ({
      send: async (envelope) => { console.log('sent', JSON.stringify(envelope)); return {}; },
      flush: async () => true,
    });
    Sentry.init({ dsn: 'https://key@sentry.example.com/1', transport });
    exports.handler = Sentry.wrapHandler(async () => { throw new RangeError('too far'); });`,
};

let task: string;

beforeAll(async () => {
  task = writeFiles(temporaryFolder(), HANDLERS);
  for (const file of ['package.json', 'package-lock.json']) {
    cpSync(join(PROJECT, 'test/long/libraries', file), join(task, file));
  }
  // npm hands the settings of the project on, whose tests it runs.
  const installed = await run('npm', ['ci', '--ignore-scripts', '--engine-strict=false'], {
    cwd: task,
    env: process.env,
  });
  expect(installed).toMatchObject({ status: 0 });
}, 300_000);

/** One invocation with the request: what was posted, once the log has what it shall have. */
async function invoke(
  runtime: string,
  handler: string,
  logs: readonly (string | RegExp)[] = [],
  environment: Record<string, string> = {},
): Promise<{ body: string; path: string; log: string }> {
  const { folder } = await realLayer(runtime);
  const api = await FakeRuntimeApi.start();
  const environmentOfTask = { LAMBDA_TASK_ROOT: task, ...environment };
  const running = RunningLayer.with(api, folder, {}, handler, environmentOfTask);
  try {
    const { body, path } = await api.invoke(REQUEST);
    for (const text of logs) await running.logged(text);
    return { body, path, log: running.log };
  } finally {
    await running.stop();
  }
}

describe.each(['node', 'deno', 'bun'])('%s runs', (runtime) => {
  beforeAll(() => realLayer(runtime), 120_000);

  test('Powertools for AWS Lambda and Middy', async () => {
    const logs = ['"function_request_id":"1"', '"message":"taken"', '"Taken":1'];
    const { body, path } = await invoke(runtime, 'powertools.handler', logs);
    expect(path).toBe('/invocation/1/response');
    expect(body).toBe('"1"');
  });

  test('Hono', async () => {
    const { body } = await invoke(runtime, 'hono.handler');
    expect(JSON.parse(body)).toMatchObject({ statusCode: 200, body: '{"hello":"you"}' });
  });

  test('Hono, in pieces', async () => {
    const { body } = await invoke(runtime, 'hono.streaming');
    const [metadata, text] = body.split('\0'.repeat(8));
    expect(JSON.parse(metadata)).toMatchObject({ statusCode: 200 });
    expect(text).toBe('hello you');
  });
});

describe('node runs', () => {
  test('Express behind serverless-http', async () => {
    const { body } = await invoke('node', 'express.handler');
    expect(JSON.parse(body)).toMatchObject({ statusCode: 200, body: '{"hello":"you"}' });
  });

  test.each(['plain', 'module'])("OpenTelemetry's instrumentation of Lambda, %s", async (file) => {
    const hook = '--experimental-loader=@opentelemetry/instrumentation/hook.mjs';
    const options = { NODE_OPTIONS: `--require=./trace.cjs ${hook} --no-warnings` };
    const { body, log } = await invoke('node', `${file}.handler`, [/span of f$/m], options);
    expect(body).toBe(`"${file}"`);
    expect(log.match(/span of f$/gm)).toHaveLength(1);
  });

  test.each(['plain', 'module'])(
    "Datadog's handler around one of the function, %s",
    async (file) => {
      const environment = {
        DD_LAMBDA_HANDLER: `${file}.handler`,
        DD_API_KEY: 'none',
        DD_FLUSH_TO_LOG: 'true',
        DD_TRACE_ENABLED: 'false',
      };
      const name = 'node_modules/datadog-lambda-js/dist/handler.handler';
      const logs = ['aws.lambda.enhanced.invocations'];
      const { body } = await invoke('node', name, logs, environment);
      expect(body).toBe(`"${file}"`);
    },
  );

  test("Sentry's handler around one that fails", async () => {
    const { body, path } = await invoke('node', 'sentry.handler', [/sent .*RangeError.*too far/]);
    expect(path).toMatch(/\/error$/);
    expect(JSON.parse(body)).toMatchObject({ errorType: 'RangeError', errorMessage: 'too far' });
  });
});
