import type { EngineEvent } from '../engine';
import { type ApproveMode, answer } from './approvals';
import type { EngineClient } from './client';
import type { Display } from './display';

export interface FollowOptions {
  readonly client: EngineClient;
  /** Sequence number of the last event that was seen. */
  readonly since: number;
  /** Commit whose execution is waited for. */
  readonly commitId: string;
  /** Executions that began before the commit was pushed; how they end says nothing of it. */
  readonly others: ReadonlySet<string>;
  readonly approve: ApproveMode;
  readonly display: Display;
  /** Aborted when the rehearsal is interrupted. */
  readonly signal: AbortSignal;
}

export interface Followed {
  readonly problems: readonly string[];
  /** Sequence number of the last event that was seen. */
  readonly last: number;
}

/**
 * Shows the executions, and answers their approvals, until one of the commit ends for good: where
 * its failure takes a release stage back, until that is done, too.
 *
 * @throws what the signal was aborted with
 */
export async function follow(options: FollowOptions): Promise<Followed> {
  const { client, display } = options;
  const abort = new AbortController();
  const answered = new Set<string>();
  let last = options.since;
  let failed: { readonly problems: readonly string[]; readonly rollback: string } | undefined;
  try {
    const end = AbortSignal.any([abort.signal, options.signal]);
    for await (const event of client.events(last, end)) {
      last = event.sequence;
      display.event(event);
      if (waitsForApproval(event) && !answered.has(approvalOf(event))) {
        answered.add(approvalOf(event));
        const { approve: mode, signal } = options;
        await answer(client, event, { mode, display, signal });
      }
      if (!hasEnded(event)) continue;
      if (failed && event.executionId === failed.rollback) {
        return { problems: [...failed.problems, ...problemsOf(event)], last };
      }
      if (failed || !(await isOfCommit(event, options))) continue;
      const problems = problemsOf(event);
      const rollback = await runningRollback(options);
      if (rollback === undefined) return { problems, last };
      failed = { problems, rollback };
    }
  } finally {
    abort.abort();
  }
  options.signal.throwIfAborted();
  return { problems: ['the local cloud ended before the pipeline did'], last };
}

function problemsOf({ executionId, status, message = '' }: EngineEvent): string[] {
  return status === 'Succeeded'
    ? []
    : [`execution ${executionId} ${status.toLowerCase()}: ${message}`];
}

/** Id of the execution that takes a failed stage back, while it runs. */
async function runningRollback({ client, others }: FollowOptions): Promise<string | undefined> {
  return (await client.executions()).find(
    ({ id, trigger, status }) =>
      !others.has(id) && trigger?.type === 'AutomatedRollback' && status === 'InProgress',
  )?.id;
}

function waitsForApproval({ type, status, action }: EngineEvent): boolean {
  return type === 'action' && status === 'InProgress' && (action?.startsWith('Approve-') ?? false);
}

function approvalOf({ executionId, stage, action }: EngineEvent): string {
  return `${executionId}/${stage}/${action}`;
}

/** A cancelled execution is followed by one of the changed pipeline. */
function hasEnded({ type, status }: EngineEvent): boolean {
  return type === 'execution' && ['Succeeded', 'Failed', 'Stopped'].includes(status);
}

async function isOfCommit(
  { executionId = '' }: EngineEvent,
  { client, commitId, others }: FollowOptions,
): Promise<boolean> {
  if (others.has(executionId)) return false;
  const execution = (await client.executions()).find(({ id }) => id === executionId);
  // One that failed before its source had run has no commit yet.
  return execution?.commitId === undefined || execution.commitId === commitId;
}
