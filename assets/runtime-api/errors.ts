/** An error of the runtime itself, typed as Lambda's own runtimes type theirs. */
export class RuntimeError extends Error {
  constructor(reason: string, message: string) {
    super(message);
    this.name = `Runtime.${reason}`;
  }
}

/** Names what only the log tells of an error: JSON leaves out what a symbol names. */
export const OWN = Symbol('own properties');

/** The Runtime API's error document; `cause` is ours, Lambda hands it on as it is. */
export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
  readonly cause?: ErrorDocument;
  /** What it has beyond these: a code, a service's metadata. */
  readonly [OWN]?: Readonly<Record<string, unknown>>;
}

/** Properties that a document has in another form. */
const DESCRIBED = ['name', 'message', 'stack', 'cause'];

/** Causes of causes that are described: errors may cause each other in a circle. */
const MAX_CAUSES = 8;
/** Of a message and a stack, what X-Ray is told. */
const XRAY_CHARACTERS = 2000;
const XRAY_FRAMES = 20;
/** An extension's proxy may take 16 KB of header fields in all, as Node.js's server does. */
const MAX_XRAY_CAUSE = 12_000;

/** Describes whatever was thrown; hostile values (throwing getters, proxies) do not make it throw. */
export function describeError(
  thrown: unknown,
  inspect: (value: unknown) => string,
  causes = MAX_CAUSES,
): ErrorDocument {
  try {
    const message = propertyOf(thrown, 'message');
    if (typeof message === 'string') {
      const name = propertyOf(thrown, 'name');
      const stack = propertyOf(thrown, 'stack');
      const cause = propertyOf(thrown, 'cause');
      return {
        errorType: typeof name === 'string' && name !== '' ? name : 'Error',
        errorMessage: message,
        stackTrace: typeof stack === 'string' ? frames(stack) : [],
        ...(cause === undefined || causes === 0
          ? {}
          : { cause: describeError(cause, inspect, causes - 1) }),
        [OWN]: ownProperties(thrown as Record<string, unknown>),
      };
    }
    const isObject = typeof thrown === 'object' || typeof thrown === 'function';
    const errorMessage = isObject ? inspect(thrown) : String(thrown);
    return { errorType: typeof thrown, errorMessage, stackTrace: [] };
  } catch {
    const errorMessage = 'a value was thrown that cannot be described';
    return { errorType: typeof thrown, errorMessage, stackTrace: [] };
  }
}

/** Undefined where there are none, or they cannot be known. */
function ownProperties(error: Record<string, unknown>): ErrorDocument[typeof OWN] {
  try {
    const keys = Object.keys(error).filter((key) => !DESCRIBED.includes(key));
    // An AggregateError's, which consoles show as well; without them it may say nothing at all.
    if (Object.hasOwn(error, 'errors') && !keys.includes('errors')) keys.push('errors');
    if (keys.length === 0) return undefined;
    return Object.fromEntries(
      keys.map((key) => [key, propertyOf(error, key, '[a getter that throws]')]),
    );
  } catch {
    return undefined;
  }
}

function propertyOf(owner: unknown, key: string, otherwise?: string): unknown {
  try {
    return (owner as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return otherwise;
  }
}

/**
 * Value of `Lambda-Runtime-Function-Error-Type`: Lambda replaces all that has another form, and a
 * header field has its limits.
 */
export function errorTypeHeader(errorType: string): string {
  if (/^(Runtime|Function)\.[A-Z][A-Za-z]{1,255}$/.test(errorType)) return errorType;
  return /^[A-Z][A-Za-z]{1,255}$/.test(errorType) ? `Function.${errorType}` : 'Function.Error';
}

/**
 * Value of `Lambda-Runtime-Function-XRay-Error-Cause`, by which X-Ray shows what failed where:
 * ASCII, without line ends; long messages and stacks are cut. Undefined where it is too long all the
 * same.
 */
export function xrayCause(
  { errorType, errorMessage, stackTrace }: ErrorDocument,
  workingDirectory: string,
): string | undefined {
  const message = errorMessage.slice(0, XRAY_CHARACTERS);
  const stack = stackTrace.slice(0, XRAY_FRAMES).map(xrayFrame);
  const cause = {
    working_directory: workingDirectory,
    exceptions: [{ type: errorType, message, stack }],
    paths: [],
  };
  const text = JSON.stringify(cause).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > MAX_XRAY_CAUSE ? undefined : text;
}

/** Of `at name (path:line:column)` or `at path:line:column`. */
function xrayFrame(frame: string) {
  const place = /^at (?:(.{1,200}) \()?(?:file:\/\/)?([^()]{1,400}):(\d+):\d+\)?$/.exec(frame);
  if (!place) return { label: frame.slice('at '.length) };
  const [, label = 'anonymous', path, line] = place;
  return { path, line: Number(line), label };
}

/** An error as the log shows it, with its own properties in the way of Node.js's console. */
export function errorText(error: ErrorDocument, inspect: (value: unknown) => string): string {
  const { errorType, errorMessage, stackTrace, cause, [OWN]: own } = error;
  const text = [`${errorType}: ${errorMessage}`, ...stackTrace].join('\n    ');
  const all = own ? `${text} ${inspect(own)}` : text;
  return cause ? `${all}\nCaused by: ${errorText(cause, inspect)}` : all;
}

export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function frames(stack: string): string[] {
  const lines = stack.split('\n').map((line) => line.trim());
  const found = lines.filter((line) => line.startsWith('at '));
  // Node.js tells in front of all else where a file does not parse.
  const [place = ''] = lines;
  return /^(?:file:\/\/)?\/.*:\d+$/.test(place) ? [`at ${place}`, ...found] : found;
}
