/** An error of the runtime itself, typed as Lambda's own runtimes type theirs. */
export class RuntimeError extends Error {
  constructor(reason: string, message: string) {
    super(message);
    this.name = `Runtime.${reason}`;
  }
}

/** The Runtime API's error document; `cause` is ours, Lambda hands it on as it is. */
export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
  readonly cause?: ErrorDocument;
}

/** Causes of causes that are described: errors may cause each other in a circle. */
const MAX_CAUSES = 8;

/** Describes whatever was thrown; hostile values (throwing getters, proxies) do not make it throw. */
export function describeError(
  thrown: unknown,
  inspect: (value: unknown) => string,
  causes = MAX_CAUSES,
): ErrorDocument {
  try {
    const error = thrown as
      | { message?: unknown; name?: unknown; stack?: unknown; cause?: unknown }
      | null
      | undefined;
    const { message } = error ?? {};
    if (typeof message === 'string') {
      const { name, stack, cause } = error ?? {};
      return {
        errorType: String(name || 'Error'),
        errorMessage: message,
        stackTrace: stack ? frames(String(stack)) : [],
        ...(cause === undefined || causes === 0
          ? {}
          : { cause: describeError(cause, inspect, causes - 1) }),
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

/** Value of `Lambda-Runtime-Function-Error-Type`: Lambda replaces all that has another form. */
export function errorTypeHeader(errorType: string): string {
  if (/^(Runtime|Function)\.[A-Z][A-Za-z]+$/.test(errorType)) return errorType;
  return /^[A-Z][A-Za-z]+$/.test(errorType) ? `Function.${errorType}` : 'Function.Error';
}

/** An error as the log shows it. */
export function errorText({ errorType, errorMessage, stackTrace, cause }: ErrorDocument): string {
  const text = [`${errorType}: ${errorMessage}`, ...stackTrace].join('\n    ');
  return cause ? `${text}\nCaused by: ${errorText(cause)}` : text;
}

export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function frames(stack: string): string[] {
  const lines = stack.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('at '));
}
