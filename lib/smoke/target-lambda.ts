import {
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  type GetLayerVersionByArnCommandOutput,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import type { STSClient } from '@aws-sdk/client-sts';
import pRetry from 'p-retry';
import { clientConfig, explain, isThrottling, roleCredentials } from '../aws';
import type { ReleaseTarget } from '../release';

/** How often, and how long apart, a function that is not ready or throttled is asked again. */
export interface RetryTimes {
  /** @default 8 */
  readonly retries?: number;
  /** First pause, milliseconds; each next one is about twice as long. @default 500 */
  readonly minTimeoutMs?: number;
  /** Longest pause, milliseconds. @default 15,000 */
  readonly maxTimeoutMs?: number;
}

/** What a function answered. */
export interface InvokeAnswer {
  /** `Unhandled` or `Handled` where the function failed. */
  readonly functionError?: string;
  /** JSON text. */
  readonly payload: string;
}

/** Longer than a cold start with its 30 seconds of function timeout, milliseconds. */
const REQUEST_TIMEOUT_MS = 70_000;

/**
 * Errors of an invocation that has not begun: the function is being created or updated, or wakes up
 * after weeks without an invocation.
 */
const NOT_BEGUN = new Set([
  'CodeArtifactUserPendingException',
  'ResourceConflictException',
  'ResourceNotReadyException',
]);

/** Lambda in one target, through one session of its smoke role. */
export class TargetLambda {
  private readonly reads: LambdaClient;
  private readonly invokes: LambdaClient;
  private readonly openSession: () => Promise<unknown>;

  constructor(
    private readonly target: ReleaseTarget,
    sts: STSClient,
    private readonly times: RetryTimes = {},
  ) {
    const credentials = roleCredentials(sts, {
      roleArn: target.smokeRoleArn,
      sessionName: 'layers-smoke',
      cure: "the target's publish stage makes this role: deploy it, and let the role's trust name the caller",
    });
    this.openSession = credentials;
    const config = { ...clientConfig(REQUEST_TIMEOUT_MS), region: target.region, credentials };
    this.reads = new LambdaClient(config);
    // An invocation that may have reached the function is not sent a second time.
    this.invokes = new LambdaClient({ ...config, maxAttempts: 1 });
  }

  /** @throws LayersError `RoleNotAssumable`, or as {@link explain} says */
  async open(): Promise<void> {
    await this.openSession();
  }

  /**
   * Undefined where the layer version does not exist.
   *
   * @throws LayersError as {@link explain} says
   */
  async layerVersion(arn: string): Promise<GetLayerVersionByArnCommandOutput | undefined> {
    try {
      return await this.reads.send(new GetLayerVersionByArnCommand({ Arn: arn }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw this.explain(error, 'lambda:GetLayerVersion');
    }
  }

  /**
   * The function's configuration once it is no longer being created or updated; undefined where
   * there is no such function.
   *
   * @throws LayersError as {@link explain} says
   */
  async functionConfiguration(FunctionName: string): Promise<FunctionConfiguration | undefined> {
    let latest: FunctionConfiguration | undefined;
    try {
      await pRetry(
        async () => {
          latest = await this.reads.send(new GetFunctionConfigurationCommand({ FunctionName }));
          if (latest.State === 'Pending' || latest.LastUpdateStatus === 'InProgress') {
            throw new FunctionNotReady(FunctionName);
          }
        },
        this.retryOptions((error) => error instanceof FunctionNotReady),
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!(error instanceof FunctionNotReady)) {
        throw this.explain(error, 'lambda:GetFunctionConfiguration');
      }
    }
    return latest;
  }

  /** @throws LayersError as {@link explain} says */
  async invoke(FunctionName: string, event: unknown): Promise<InvokeAnswer> {
    const send = () =>
      this.invokes.send(
        new InvokeCommand({
          FunctionName,
          InvocationType: 'RequestResponse',
          Payload: Buffer.from(JSON.stringify(event)),
        }),
      );
    try {
      const { FunctionError, Payload } = await pRetry(
        send,
        this.retryOptions((error) => isThrottling(error) || NOT_BEGUN.has(error.name)),
      );
      return {
        functionError: FunctionError,
        payload: Buffer.from(Payload ?? []).toString('utf8'),
      };
    } catch (error) {
      throw this.explain(error, 'lambda:InvokeFunction');
    }
  }

  close(): void {
    this.reads.destroy();
    this.invokes.destroy();
  }

  private retryOptions(shouldRetry: (error: Error) => boolean) {
    const { retries = 8, minTimeoutMs = 500, maxTimeoutMs = 15_000 } = this.times;
    return {
      retries,
      minTimeout: minTimeoutMs,
      maxTimeout: maxTimeoutMs,
      factor: 2,
      randomize: true,
      shouldRetry,
    };
  }

  private explain(error: unknown, action: string) {
    const { region, smokeRoleArn } = this.target;
    return explain(error, { action, region, role: smokeRoleArn });
  }
}

class FunctionNotReady extends Error {}

function isNotFound(error: unknown): boolean {
  return (error as { name?: string }).name === 'ResourceNotFoundException';
}
