import type { Invocation } from './client';
import { RuntimeError, reasonOf } from './errors';
import type { Platform } from './platform';

/** What a handler gets as its second argument: the fields of Lambda's own runtimes. */
export interface Context {
  readonly functionName: string | undefined;
  readonly functionVersion: string | undefined;
  /** In MB, as text. */
  readonly memoryLimitInMB: string | undefined;
  readonly logGroupName: string | undefined;
  readonly logStreamName: string | undefined;
  readonly invokedFunctionArn: string | undefined;
  readonly awsRequestId: string;
  readonly clientContext: unknown;
  readonly identity: unknown;
  readonly tenantId: string | undefined;
  /** As in `_X_AMZN_TRACE_ID`. */
  readonly xRayTraceId: string | undefined;
  /** Only for handlers in callback style. */
  callbackWaitsForEmptyEventLoop?: boolean;
  getRemainingTimeInMillis(): number;
}

/** Makes contexts; what does not change from one invocation to the next is read once. */
export function contextFactory(platform: Platform): (invocation: Invocation) => Context {
  const env = platform.getEnv;
  const fixed = {
    functionName: env('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: env('AWS_LAMBDA_FUNCTION_VERSION'),
    memoryLimitInMB: env('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: env('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: env('AWS_LAMBDA_LOG_STREAM_NAME'),
  };
  return ({ id, headers }) => {
    const deadline = Number(headers.get('lambda-runtime-deadline-ms'));
    return {
      ...fixed,
      invokedFunctionArn: headers.get('lambda-runtime-invoked-function-arn'),
      awsRequestId: id,
      clientContext: optional('client context', headers.get('lambda-runtime-client-context')),
      identity: optional('cognito identity', headers.get('lambda-runtime-cognito-identity')),
      tenantId: headers.get('lambda-runtime-aws-tenant-id'),
      xRayTraceId: headers.get('lambda-runtime-trace-id'),
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    };
  };
}

function optional(what: string, text: string | undefined): unknown {
  return text ? parse(what, text) : undefined;
}

/** @throws RuntimeError `Runtime.UnmarshalError` */
export function parse(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuntimeError('UnmarshalError', `the ${what} is not JSON: ${reasonOf(error)}`);
  }
}

/**
 * The answer as JSON text; `undefined` becomes `null`, as in Lambda's own runtimes.
 *
 * @throws RuntimeError `Runtime.MarshalError`
 */
export function serialize(answer: unknown): string {
  try {
    return JSON.stringify(answer) ?? 'null';
  } catch (error) {
    throw new RuntimeError('MarshalError', `the answer is not JSON: ${reasonOf(error)}`);
  }
}
