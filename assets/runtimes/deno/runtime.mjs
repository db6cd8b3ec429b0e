// Client of the Lambda Runtime API for Deno: one event in, one answer out, for ever.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

// Taken before the handler loads, so that nothing it patches reaches this loop.
const { fetch } = globalThis;
const { env, exit, inspect } = Deno;
const api = `http://${env.get('AWS_LAMBDA_RUNTIME_API')}/2018-06-01/runtime`;
const extensions = ['.ts', '.js', '.mjs'];

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
  const name = env.get('_HANDLER') ?? '';
  const [, file, path] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(name) ?? [];
  if (!file || file.split('/').includes('..')) {
    throw new RuntimeError('MalformedHandlerName', `handler "${name}" is not <file>.<function>`);
  }
  const base = `${env.get('LAMBDA_TASK_ROOT') ?? Deno.cwd()}/${file}`;
  const found = extensions.map((extension) => base + extension).find(isFile);
  if (!found) {
    const tried = extensions.map((extension) => file + extension).join(', ');
    throw new RuntimeError('ImportModuleError', `no file for handler "${name}"; tried ${tried}`);
  }
  const module = await import(fileUrl(found));
  const exported = path.split('.').reduce((value, key) => value?.[key], module);
  if (typeof exported !== 'function') {
    throw new RuntimeError('HandlerNotFound', `${found} exports no function "${path}"`);
  }
  return exported;
}

function isFile(path) {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

function fileUrl(path) {
  return `file://${path.split('/').map(encodeURIComponent).join('/')}`;
}

async function nextInvocation() {
  const response = await fetch(`${api}/invocation/next`);
  const body = await response.text();
  if (!response.ok) {
    throw new RuntimeError('NextInvocationError', `next answered ${response.status}: ${body}`);
  }
  const header = (name) => response.headers.get(`lambda-runtime-${name}`) ?? undefined;
  return { id: header('aws-request-id'), invocationId: header('invocation-id'), header, body };
}

function contextOf({ id, header }) {
  const deadline = Number(header('deadline-ms'));
  return {
    functionName: env.get('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: env.get('AWS_LAMBDA_FUNCTION_VERSION'),
    memoryLimitInMB: env.get('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: env.get('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: env.get('AWS_LAMBDA_LOG_STREAM_NAME'),
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
  if (trace === undefined) env.delete('_X_AMZN_TRACE_ID');
  else env.set('_X_AMZN_TRACE_ID', trace);
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
  const id = invocation?.invocationId;
  const response = await fetch(`${api}${path}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(id && { 'Lambda-Runtime-Invocation-Id': id }),
      ...headers,
    },
    body,
  });
  // Lambda has recorded a refusal (413 too large, 410 too late) by itself: a second post would be wrong.
  const text = await response.text();
  if (!response.ok) console.error(`POST ${path} answered ${response.status}: ${text}`);
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
    exit(1);
  }
}

globalThis.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  fail(event.reason);
});
globalThis.addEventListener('error', (event) => {
  event.preventDefault();
  fail(event.error);
});

try {
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
} catch (thrown) {
  await fail(thrown);
}
