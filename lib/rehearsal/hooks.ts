import type { Architecture } from '../release';

/**
 * What the local cloud asks of whoever serves `hooksUrl`: JSON over HTTP POST, answered
 * synchronously, so that a deployment ends only when its consequences are known.
 */

/** Path of {@link PipelineHook} below the hooks' base URL. Any 2xx status accepts the event. */
export const PIPELINE_HOOK_PATH = '/hooks/pipeline';

/** Path of {@link InvokeHook} below the hooks' base URL. Answers 200 and {@link InvokeHookAnswer}. */
export const INVOKE_HOOK_PATH = '/hooks/invoke';

/** CloudFormation created, updated or deleted an `AWS::CodePipeline::Pipeline`. */
export interface PipelineHook {
  readonly event: 'create' | 'update' | 'delete';
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  readonly stackName: string;
  /** Name of the pipeline, which is also its physical id. */
  readonly name: string;
  /** Version of the definition, from 1, plus one at each update. */
  readonly version: number;
  /**
   * Properties of the resource with every intrinsic function resolved, in CloudFormation's
   * spelling (`RoleArn`, `Stages[].Actions[].ActionTypeId`, `Tags`).
   */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** One invocation of a function of a `provided` runtime. */
export interface InvokeHook {
  /** Unqualified ARN of the function. */
  readonly functionArn: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly handler: string;
  readonly architecture: Architecture;
  /** Folder with the unpacked code, with the mode bits of the zip. Do not write to it. */
  readonly codeDir: string;
  /** Folders with the unpacked layers, in the order of attachment. Do not write to them. */
  readonly layerDirs: readonly string[];
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Body of the Invoke request, JSON text. */
  readonly event: string;
  readonly requestId: string;
}

/** Answer to {@link InvokeHook}. */
export interface InvokeHookAnswer {
  /** What the handler answered, or the error object, as text. */
  readonly payload: string;
  /** `X-Amz-Function-Error`: present when the function failed. */
  readonly functionError?: 'Unhandled';
  /** What the runtime wrote to stdout and stderr during this invocation. */
  readonly log: string;
}
