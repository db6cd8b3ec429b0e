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

/** Answers the approval that an action waits for. */
export async function answer(
  client: EngineClient,
  event: EngineEvent,
  mode: ApproveMode,
  display: Display,
): Promise<void> {
  const approved = mode === 'ask' ? await ask(event, display) : mode === 'all';
  await client.answerApproval(event, approved);
}

async function ask(event: EngineEvent, display: Display): Promise<boolean> {
  display.line(event.message ?? '');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (;;) {
      const text = await terminal.question(`approve ${event.action}? [y/n] `);
      if (/^y(es)?$/i.test(text.trim())) return true;
      if (/^n(o)?$/i.test(text.trim())) return false;
    }
  } finally {
    terminal.close();
  }
}
