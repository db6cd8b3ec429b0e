import { setTimeout as delay } from 'node:timers/promises';
import {
  type CloudFormationClient,
  DescribeStackEventsCommand,
  type DescribeStackEventsOutput,
  DescribeStacksCommand,
  type Stack,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import { LayersError } from '../../../errors';
import type { ActionContext } from './provider';

const SUCCEEDED = new Set(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'IMPORT_COMPLETE']);

/** A stack that still moves after this time is given up, in milliseconds. */
const STACK_TIMEOUT = 60 * 60_000;

/** Waits between two looks: 0.2 s at first, doubling to 5 s, half of it by chance. */
export function pollDelay(attempt: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(200 * 2 ** attempt, 5_000);
  return delay(longest * (0.5 + Math.random() / 2), undefined, { signal });
}

/** The stack, or undefined when there is none by that name. */
export async function describeStack(
  client: CloudFormationClient,
  stackName: string,
): Promise<Stack | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    // The emulator and AWS differ on whether a deleted stack is still found by name.
    return Stacks?.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE');
  } catch (error) {
    if (isMissing(error as Error)) return undefined;
    throw error;
  }
}

export function isMissing(error: Error): boolean {
  return error.name === 'ValidationError' && /does not exist/.test(error.message);
}

/** Follows one operation of a stack: its events go to the action's log. */
export class StackWatch {
  private readonly seen = new Set<string>();
  /** Reason of the first resource that failed. */
  private failure: string | undefined;
  private readonly since = Date.now();

  constructor(
    private readonly client: CloudFormationClient,
    private readonly stackId: string,
    private readonly context: ActionContext,
  ) {}

  /** Events so far belong to earlier operations. */
  async skipPast(): Promise<void> {
    for (const event of (await this.page()).StackEvents ?? []) this.seen.add(event.EventId ?? '');
  }

  /**
   * Waits until the operation has ended.
   *
   * @throws LayersError StackFailed with the first failed resource's reason
   */
  async settled(): Promise<Stack> {
    this.context.begun();
    for (let attempt = 0; ; attempt++) {
      const stack = await describeStack(this.client, this.stackId);
      await this.report();
      const status = stack?.StackStatus ?? 'DELETE_COMPLETE';
      if (stack && SUCCEEDED.has(status)) return stack;
      if (!status.endsWith('_IN_PROGRESS')) throw this.failed(status, stack);
      await this.pause(attempt, status);
    }
  }

  /** Waits until the stack is gone. */
  async deleted(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const stack = await describeStack(this.client, this.stackId);
      const status = stack?.StackStatus ?? 'DELETE_COMPLETE';
      if (status === 'DELETE_COMPLETE') return;
      await this.report();
      if (!status.endsWith('_IN_PROGRESS')) throw this.failed(status, stack);
      await this.pause(attempt, status);
    }
  }

  private failed(status: string, stack: Stack | undefined): LayersError {
    const reason = this.failure ?? stack?.StackStatusReason ?? 'no reason given';
    return new LayersError(
      'StackFailed',
      `stack ${this.context.configuration.StackName} is ${status}: ${reason}`,
    );
  }

  private async pause(attempt: number, status: string): Promise<void> {
    if (Date.now() - this.since > STACK_TIMEOUT) {
      throw new LayersError(
        'StackTimedOut',
        `stack ${this.context.configuration.StackName} is still ${status} after ${STACK_TIMEOUT / 60_000} minutes`,
      );
    }
    await pollDelay(attempt, this.context.signal);
  }

  private async report(): Promise<void> {
    for (const event of (await this.unseen()).reverse()) {
      this.seen.add(event.EventId ?? '');
      const { LogicalResourceId, ResourceStatus, ResourceStatusReason, ResourceType } = event;
      this.context.log.line(
        [
          event.Timestamp?.toISOString(),
          ResourceStatus,
          ResourceType,
          LogicalResourceId,
          ResourceStatusReason,
        ]
          .filter(Boolean)
          .join(' | '),
      );
      const failed = ResourceStatus?.endsWith('_FAILED');
      if (failed && !/cancelled/i.test(ResourceStatusReason ?? '')) {
        this.failure ??= `${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason}`;
      }
    }
  }

  /** Newest first; pages are read until one holds an event that was seen. */
  private async unseen(): Promise<StackEvent[]> {
    const found: StackEvent[] = [];
    let token: string | undefined;
    do {
      const { StackEvents = [], NextToken } = await this.page(token);
      const fresh = StackEvents.filter(({ EventId = '' }) => !this.seen.has(EventId));
      found.push(...fresh);
      token = fresh.length === StackEvents.length ? NextToken : undefined;
    } while (token);
    return found;
  }

  private async page(NextToken?: string): Promise<DescribeStackEventsOutput> {
    try {
      return await this.client.send(
        new DescribeStackEventsCommand({ StackName: this.stackId, NextToken }),
      );
    } catch (error) {
      if (isMissing(error as Error)) return {};
      throw error;
    }
  }
}
