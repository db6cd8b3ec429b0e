import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { LayersError, reasonOf } from '../../../errors';
import {
  INVOKE_HOOK_PATH,
  type InvokeHook,
  PIPELINE_HOOK_PATH,
  type PipelineHook,
} from '../../hooks';
import type { ActionFault } from '../action-faults';
import type { PipelineEngine } from '../engine';
import type { Commit } from '../model';
import { callOperation } from './operations';

export interface RunningServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  close(): Promise<void>;
}

const TARGET_PREFIX = 'CodePipeline_20150709.';
const JSON_TYPE = 'application/json';
const AWS_JSON_TYPE = 'application/x-amz-json-1.1';

/** Longest request body, in bytes: an Invoke event of 6 MiB, escaped in JSON. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Serves an engine on a free port of the loopback interface. */
export async function serve(engine: PipelineEngine): Promise<RunningServer> {
  const server = createServer((request, response) => {
    handle(engine, request, response).catch((error) => sendError(request, response, error));
  });
  // A hook is answered when its consequences are known, which may take longer than Node's default.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        // Listeners of the event stream hang on for ever otherwise.
        server.closeAllConnections();
      }),
  };
}

async function handle(
  engine: PipelineEngine,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const route = `${request.method} ${url.pathname}`;
  switch (route) {
    case 'POST /':
      return send(response, 200, await api(engine, request), AWS_JSON_TYPE);
    case `POST ${PIPELINE_HOOK_PATH}`:
      engine.applyHook((await readJson(request)) as PipelineHook);
      return send(response, 200, {});
    case `POST ${INVOKE_HOOK_PATH}`:
      return send(response, 200, await engine.invoke((await readJson(request)) as InvokeHook));
    case 'POST /rehearsal/push':
      return send(response, 200, {
        executionIds: engine.pushCommit((await readJson(request)) as Commit),
      });
    case 'POST /rehearsal/faults':
      engine.faults.set(((await readJson(request)) as { faults: ActionFault[] }).faults);
      return send(response, 200, {});
    case 'GET /rehearsal/faults':
      return send(response, 200, { met: engine.faults.counts() });
    case 'GET /rehearsal/executions':
      return send(response, 200, { executions: engine.executions() });
    case 'GET /rehearsal/last-event':
      return send(response, 200, { sequence: engine.events().at(-1)?.sequence ?? 0 });
    case 'GET /rehearsal/events':
      return streamEvents(engine, Number(url.searchParams.get('since') ?? 0), request, response);
    default:
      return send(response, 404, { code: 'NotFound', message: `nothing is served at ${route}` });
  }
}

/** One call of the CodePipeline API, JSON protocol 1.1. */
async function api(engine: PipelineEngine, request: IncomingMessage): Promise<unknown> {
  const target = String(request.headers['x-amz-target'] ?? '');
  if (!target.startsWith(TARGET_PREFIX)) {
    throw new LayersError(
      'UnknownOperationException',
      `"${target}" is no operation of ${TARGET_PREFIX.slice(0, -1)}`,
    );
  }
  const scope = callerScope(engine, request.headers.authorization ?? '');
  return callOperation(engine, scope, target.slice(TARGET_PREFIX.length), await readJson(request));
}

/**
 * Account and region that a request is signed for. Signatures are not checked: the server is on
 * loopback, and its caller is the user.
 */
function callerScope(engine: PipelineEngine, authorization: string) {
  const match = /Credential=([^/]+)\/\d{8}\/([^/]+)\/codepipeline\/aws4_request/.exec(
    authorization,
  );
  const [, accessKeyId = '', region = ''] = match ?? [];
  const account = /^\d{12}$/.test(accessKeyId)
    ? accessKeyId
    : engine.sessions.accountOfKey(accessKeyId);
  if (account) return { account, region };
  throw new LayersError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    throw new LayersError('RequestTooLarge', `a request may hold at most ${MAX_BODY_BYTES} bytes`);
  }
  const body = await buffer(request);
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new LayersError('SerializationException', 'the request body is no JSON', {
      cause: error,
    });
  }
}

function streamEvents(
  engine: PipelineEngine,
  since: number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const stop = engine.subscribe((event) => response.write(`${JSON.stringify(event)}\n`), since);
  request.once('close', stop);
}

function send(response: ServerResponse, status: number, body: unknown, type = JSON_TYPE): void {
  response.writeHead(status, { 'Content-Type': type });
  response.end(JSON.stringify(body));
}

/** What the caller can put right is a 400 with its code; anything else is a defect, and a 500. */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const known = error instanceof LayersError;
  const code = known ? error.code : 'InternalFailure';
  const message = reasonOf(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.setHeader('x-amzn-errortype', code);
  const isApi = request.headers['x-amz-target'] !== undefined;
  const body = isApi ? { __type: code, message } : { code, message };
  send(response, known ? 400 : 500, body, isApi ? AWS_JSON_TYPE : JSON_TYPE);
}
