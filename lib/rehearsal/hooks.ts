import type { FunctionSpec, InvokeResult } from './functions';

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
export interface InvokeHook extends Required<FunctionSpec> {
  /** Body of the Invoke request, JSON text. */
  readonly event: string;
  readonly requestId: string;
}

/** Answer to {@link InvokeHook}. */
export type InvokeHookAnswer = Pick<InvokeResult, 'payload' | 'functionError' | 'log'>;
