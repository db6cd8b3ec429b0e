import { control } from './control';
import type { CloudAddress } from './model';

/** How a request fails: refused, throttled, an error of the service, or no answer for a while. */
export type FaultKind = 'denied' | 'throttled' | 'error' | 'hang';

/** Requests, or resources of stacks, that fail in the local cloud. */
export interface FaultRule {
  /** IAM action (`lambda:InvokeFunction`), or type of a stack's resource (`AWS::SSM::Parameter`). */
  readonly what: string;
  readonly kind: FaultKind;
  /** Account of the resource, or of the caller where the resource names none. @default any */
  readonly account?: string;
  /** @default any */
  readonly region?: string;
  /** As many are met by the fault. @default all */
  readonly times?: number;
  /** As many pass before the first that is met. @default 0 */
  readonly skip?: number;
  /**
   * Seconds without an answer; then requests get an `error`, and resources are made as usual.
   * Required for `hang`, meaningless otherwise.
   */
  readonly seconds?: number;
}

/** Puts rules in the place of those before; none ends all faults, and releases what hangs. */
export async function setFaults(cloud: CloudAddress, rules: readonly FaultRule[]): Promise<void> {
  await control(cloud, 'faults', { rules });
}

/** How often each of the present rules has been met, in their order. */
export async function countFaults(cloud: CloudAddress): Promise<readonly number[]> {
  return (await control<{ met: number[] }>(cloud, 'faults', {})).met;
}
