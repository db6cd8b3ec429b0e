import type { ReleaseLayer } from '../../release';
import type { ActionReport } from '../engine';
import type { MetFault } from './faults';

export type Result = 'succeeded' | 'succeeded-not-all-run' | 'failed';

export type ReportAction = Omit<ActionReport, 'attempt'>;

export interface ReportExecution {
  readonly id: string;
  readonly trigger: string;
  readonly status: string;
  readonly commit?: string;
  readonly seconds?: number;
  readonly stages: readonly {
    readonly name: string;
    readonly status: string;
    readonly actions: readonly ReportAction[];
  }[];
}

export interface ReportSmoke {
  /** Layer name. */
  readonly layer: string;
  readonly how: 'native' | 'emulated' | 'not-run';
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly message: string;
}

export interface ReportTarget {
  readonly account: string;
  readonly region: string;
  readonly wave: string;
  /** Why the target was left out; absent where it was not. */
  readonly paused?: string;
  /** Day on which the pause began; absent where there is none. */
  readonly pausedSince?: string;
  /** Layer version ARNs that this rehearsal made. */
  readonly published: readonly string[];
  /** SSM parameters by name, as they are at the end. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameters that this rehearsal made or moved. */
  readonly changedParameters: readonly string[];
  /** ARNs of the layer versions that somebody else was granted, as they are at the end. */
  readonly permissions: readonly string[];
  readonly smoke: readonly ReportSmoke[];
}

export interface NotRun {
  readonly what: string;
  readonly why: string;
  readonly cure: string;
}

/** What `--report FILE` holds; docs/report.md describes it. */
export interface Report {
  readonly schemaVersion: 1;
  readonly result: Result;
  /** Commit that was rehearsed last. */
  readonly commit: string;
  readonly seconds: number;
  /** Parts of the rehearsal in order, in seconds. */
  readonly parts: readonly { readonly name: string; readonly seconds: number }[];
  readonly executions: readonly ReportExecution[];
  readonly layers: readonly Omit<ReleaseLayer, 'schemaVersion'>[];
  readonly targets: readonly ReportTarget[];
  /** What `--fault` asked for, and how often something met it. */
  readonly faults: readonly MetFault[];
  readonly notRun: readonly NotRun[];
  /** Why it failed, one sentence a reason; empty otherwise. */
  readonly problems: readonly string[];
}
