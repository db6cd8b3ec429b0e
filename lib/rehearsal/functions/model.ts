import type { Architecture } from '../../release';
import type { NotAvailable } from '../tools';

/** A function as Lambda would know it, with its code and layers unpacked. */
export interface FunctionSpec {
  /** Unqualified ARN; name and region are taken from it. */
  readonly functionArn: string;
  /** @default $LATEST */
  readonly version?: string;
  readonly handler: string;
  readonly architecture: Architecture;
  /** Absolute path of the folder that becomes `/var/task`; nothing writes to it. */
  readonly codeDir: string;
  /** Absolute paths of the folders that are merged at `/opt`, in order of attachment; as above. */
  readonly layerDirs: readonly string[];
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface InvokeOptions {
  /** @default a random UUID */
  readonly requestId?: string;
}

export interface InvokeResult {
  /** What the handler answered, byte for byte, or Lambda's error object; empty when not run. */
  readonly payload: string;
  /** Present when the function failed, as `X-Amz-Function-Error` on AWS. */
  readonly functionError?: 'Unhandled';
  /** What the runtime wrote to stdout and stderr during this invocation. */
  readonly log: string;
  /** On this processor, through qemu, or not at all (see `notRun`). */
  readonly how: 'native' | 'emulated' | 'not-run';
  /** Whether the function saw Lambda's file system, or this machine's. */
  readonly isolation: 'namespace' | 'none';
  /** Time from the start of the runtime to its first request for an event; cold starts only. */
  readonly initMilliseconds?: number;
  /** Time of the whole invocation, the cold start included. */
  readonly milliseconds: number;
  /** Why it was not run, and what would change that. */
  readonly notRun?: NotAvailable;
}
