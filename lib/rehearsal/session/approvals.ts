import { createInterface } from 'node:readline/promises';
import type { EngineEvent } from '../engine';
import type { EngineClient } from './client';
import type { Display } from './display';

/** Who answers a manual approval. */
export type ApproveMode = 'all' | 'none' | 'ask';

/** Ask on a terminal; elsewhere nobody is there to answer, so approve. */
export function defaultApproval(): ApproveMode {
  return process.stdin.isTTY && process.stdout.isTTY ? 'ask' : 'all';
}

export interface AnswerOptions {
  readonly mode: ApproveMode;
  readonly display: Display;
  /** Aborted when the rehearsal is interrupted: nothing is answered then. */
  readonly signal: AbortSignal;
}

/** Answers the approval that an action waits for. */
export async function answer(
  client: EngineClient,
  event: EngineEvent,
  options: AnswerOptions,
): Promise<void> {
  const { mode } = options;
  const approved = mode === 'ask' ? await ask(event, options) : mode === 'all';
  await client.answerApproval(event, approved);
}

async function ask(event: EngineEvent, { display, signal }: AnswerOptions): Promise<boolean> {
  display.line(event.message ?? '');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // The prompt takes Ctrl-C for itself; the rehearsal ends by it.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    for (;;) {
      const text = await terminal.question(`approve ${event.action}? [y/n] `, { signal });
      if (/^y(es)?$/i.test(text.trim())) return true;
      if (/^n(o)?$/i.test(text.trim())) return false;
    }
  } finally {
    terminal.close();
  }
}
