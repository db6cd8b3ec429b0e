import { randomUUID } from 'node:crypto';
import { LayersError } from '../../../errors';
import type { ActionDefinition } from '../definition';
import type { ActionContext, ActionProvider, ActionResult } from './provider';

export interface ApprovalAnswer {
  readonly status: 'Approved' | 'Rejected';
  readonly summary: string;
}

/** An approval that nobody answered within this time fails, in minutes (7 days, as on AWS). */
const DEFAULT_TIMEOUT_MINUTES = 7 * 24 * 60;

/** Node's timers take no longer delay, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** `Manual`: waits until {@link answer} is called with the token that the pipeline's state shows. */
export class ManualApproval implements ActionProvider {
  private readonly waiting = new Map<string, (answer: ApprovalAnswer) => void>();

  /** False when the token belongs to no waiting approval. */
  answer(token: string, answer: ApprovalAnswer): boolean {
    const settle = this.waiting.get(token);
    this.waiting.delete(token);
    settle?.(answer);
    return settle !== undefined;
  }

  async run(context: ActionContext): Promise<ActionResult> {
    const { CustomData, ExternalEntityLink, NotificationArn } = context.configuration;
    const signal = AbortSignal.any([context.signal, context.cancelled]);
    signal.throwIfAborted();
    const token = randomUUID();
    if (CustomData) context.log.line(CustomData);
    if (ExternalEntityLink) context.log.line(`review: ${ExternalEntityLink}`);
    if (NotificationArn) context.log.line(`notifies: ${NotificationArn}`);
    try {
      const answered = this.wait(token, context.action, signal);
      context.progress({
        token,
        message: CustomData ?? 'waits for approval',
        ...(ExternalEntityLink && { externalEntityUrl: ExternalEntityLink }),
      });
      context.begun();
      const { status, summary } = await answered;
      context.log.line(`${status}: ${summary}`);
      if (status === 'Approved') return { message: summary || 'approved' };
      throw new LayersError('ApprovalRejected', `rejected: ${summary || 'no reason given'}`);
    } finally {
      this.waiting.delete(token);
      context.progress({ token: undefined });
    }
  }

  private wait(
    token: string,
    { TimeoutInMinutes }: ActionDefinition,
    signal: AbortSignal,
  ): Promise<ApprovalAnswer> {
    const minutes = TimeoutInMinutes ?? DEFAULT_TIMEOUT_MINUTES;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => fail(new LayersError('ApprovalTimedOut', `not answered within ${minutes} minutes`)),
        Math.min(minutes * 60_000, LONGEST_TIMER),
      );
      const fail = (reason: unknown) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        reject(reason);
      };
      const abort = () => fail(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      this.waiting.set(token, (answer) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        resolve(answer);
      });
    });
  }
}
