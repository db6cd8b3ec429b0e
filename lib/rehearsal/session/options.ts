import type { ApproveMode } from './approvals';
import type { RequestedFault } from './faults';

export interface RehearsalOptions {
  /** Top folder of the checkout. */
  readonly root: string;
  /** Report goes there, also after a failure. @default none */
  readonly report?: string;
  readonly keep: boolean;
  readonly approve: ApproveMode;
  /** JSON file that replaces `context.delivery`. @default the commit's own */
  readonly config?: string;
  /** JSON file with the configuration of a second commit. @default no second commit */
  readonly after?: string;
  /** What fails, and how. */
  readonly fault: readonly RequestedFault[];
  readonly includeWorkingTree: boolean;
  /** Exit code 0 although something could not be run. */
  readonly allowNotRun: boolean;
}
