// Client of the Lambda Runtime API for Node.js: one event in, one answer out, for ever.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
'use strict';

const { existsSync } = require('node:fs');
// Not fetch: it gives up on a response that takes five minutes, and a frozen function waits longer.
const { Agent, request } = require('node:http');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { inspect } = require('node:util');

const { env } = process;
const api = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const extensions = ['.js', '.mjs', '.cjs'];

let handler;
/** The invocation in hand, for errors that arise outside the handler's own promise. */
let current;
let failing = false;

class RuntimeError extends Error {
  constructor(reason, message) {
    super(message);
    this.name = `Runtime.${reason}`;
  }
}

/** `a/b/file.fn`: the file below LAMBDA_TASK_ROOT, then a dotted path through its exports. */
async function loadHandler() {
  const name = env._HANDLER ?? '';
  const [, file, path] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(name) ?? [];
  if (!file || file.split('/').includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `handler "${name}" is not <file>.<function>`);
  }
  const base = join(env.LAMBDA_TASK_ROOT ?? process.cwd(), file);
  const found = extensions.map((extension) => base + extension).find(existsSync);
  if (!found) {
    const tried = extensions.map((extension) => file + extension).join(', ');
    throw new RuntimeError('ImportModuleError', `no file for handler "${name}"; tried ${tried}`);
  }
  const module = await import(pathToFileURL(found).href);
  // A CommonJS module's exports are the default one; the named ones are only guessed.
  const exported = member(module, path) ?? member(module.default, path);
  if (typeof exported !== 'function') {
    throw new RuntimeError('HandlerNotFound', `${found} exports no function "${path}"`);
  }
  return exported;
}

function member(value, path) {
  return path.split('.').reduce((object, key) => object?.[key], value);
}

/** One exchange on the keep-alive connection. */
function exchange(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${api}${path}`, { method, agent, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        const text = Buffer.concat(chunks).toString();
        resolve({ status, headers, body: text, ok: status >= 200 && status < 300 });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function nextInvocation() {
  const response = await exchange('GET', '/invocation/next');
  if (!response.ok) {
    const answer = `next answered ${response.status}: ${response.body}`;
    throw new RuntimeError('NextInvocationError', answer);
  }
  const header = (name) => response.headers[`lambda-runtime-${name}`];
  const id = header('aws-request-id');
  return { id, invocationId: header('invocation-id'), header, body: response.body };
}

function contextOf({ id, header }) {
  const deadline = Number(header('deadline-ms'));
  return {
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: header('invoked-function-arn'),
    awsRequestId: id,
    clientContext: parsed('client-context', header('client-context')),
    identity: parsed('cognito-identity', header('cognito-identity')),
    tenantId: header('aws-tenant-id'),
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function parsed(what, text) {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuntimeError('UnmarshalError', `${what} is not JSON: ${error.message}`);
  }
}

/** The answer as JSON text; `undefined` becomes `null`, as in the managed runtimes. */
function serialized(answer) {
  try {
    return JSON.stringify(answer) ?? 'null';
  } catch (error) {
    throw new RuntimeError('MarshalError', `the answer is not JSON: ${error.message}`);
  }
}

async function invoke(invocation) {
  const trace = invocation.header('trace-id');
  if (trace === undefined) delete env._X_AMZN_TRACE_ID;
  else env._X_AMZN_TRACE_ID = trace;
  return serialized(await handler(parsed('event', invocation.body), contextOf(invocation)));
}

function describe(thrown) {
  const isError = typeof thrown?.message === 'string';
  const plain = typeof thrown === 'object' ? inspect : String;
  return {
    errorType: isError ? String(thrown.name || 'Error') : typeof thrown,
    errorMessage: isError ? thrown.message : plain(thrown),
    stackTrace: isError && thrown.stack ? frames(String(thrown.stack)) : [],
  };
}

function frames(stack) {
  const lines = stack.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('at '));
}

/** Lambda keeps `(Runtime|Function).<Reason>` only, and replaces everything else. */
function typeHeader(errorType) {
  if (/^(Runtime|Function)\.[A-Z][A-Za-z]+$/.test(errorType)) return errorType;
  return /^[A-Z][A-Za-z]+$/.test(errorType) ? `Function.${errorType}` : 'Function.Error';
}

async function post(path, body, headers = {}, invocation = undefined) {
  const bytes = Buffer.from(body);
  const id = invocation?.invocationId;
  const all = {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    ...(id && { 'Lambda-Runtime-Invocation-Id': id }),
    ...headers,
  };
  const response = await exchange('POST', path, all, bytes);
  // Lambda has recorded a refusal (413 too large, 410 too late) by itself: a second post would be wrong.
  if (!response.ok) console.error(`POST ${path} answered ${response.status}: ${response.body}`);
}

function postError(path, thrown, invocation) {
  const error = describe(thrown);
  console.error([`${error.errorType}: ${error.errorMessage}`, ...error.stackTrace].join('\n    '));
  const headers = { 'Lambda-Runtime-Function-Error-Type': typeHeader(error.errorType) };
  return post(path, JSON.stringify(error), headers, invocation);
}

/** Reports what no invocation can survive, then ends the process: Lambda starts another one. */
async function fail(thrown) {
  if (failing) return;
  failing = true;
  try {
    if (!handler) await postError('/init/error', thrown);
    else if (current) await postError(`/invocation/${current.id}/error`, thrown, current);
    else console.error(thrown);
  } finally {
    process.exit(1);
  }
}

async function main() {
  handler = await loadHandler();
  while (!failing) {
    current = undefined;
    current = await nextInvocation();
    const path = `/invocation/${current.id}`;
    let answer;
    try {
      answer = await invoke(current);
    } catch (thrown) {
      if (!failing) await postError(`${path}/error`, thrown, current);
      continue;
    }
    if (!failing) await post(`${path}/response`, answer, {}, current);
  }
}

process.on('unhandledRejection', fail);
process.on('uncaughtException', fail);
main().catch(fail);
