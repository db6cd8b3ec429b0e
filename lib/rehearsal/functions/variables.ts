import { LayersError } from '../../errors';
import type { FunctionSpec } from './model';

/** Where the function finds its code and layers. */
export interface Roots {
  /** `/var/task` */
  readonly task: string;
  /** `/opt` */
  readonly opt: string;
}

/**
 * The variables that Lambda defines for a custom runtime, and the function's own. The emulator
 * adds `AWS_LAMBDA_RUNTIME_API` and needs `AWS_LAMBDA_FUNCTION_TIMEOUT`.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function lambdaVariables(spec: FunctionSpec, roots: Roots): Record<string, string> {
  const { name, region } = parseFunctionArn(spec.functionArn);
  const { task, opt } = roots;
  const version = spec.version ?? '$LATEST';
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: `/usr/local/bin:/usr/bin/:/bin:${opt}/bin`,
    LD_LIBRARY_PATH: `/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:${task}:${task}/lib:${opt}/lib`,
    ...spec.environment,
    _HANDLER: spec.handler,
    LAMBDA_TASK_ROOT: task,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_TIMEOUT: String(spec.timeoutSeconds),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${today}/[${version}]${'0'.repeat(32)}`,
  };
}

function parseFunctionArn(arn: string): { name: string; region: string } {
  const [, , service, region, , kind, name] = arn.split(':');
  if (service !== 'lambda' || kind !== 'function' || !name || !region) {
    throw new LayersError(
      'FunctionArnInvalid',
      `functionArn is \`${arn}\`, not a Lambda function's ARN`,
    );
  }
  return { name, region };
}
