import { rmSync } from 'node:fs';
import { SIGNALS } from '../../interrupt';
import { startServices } from './services';
import type { CloudState } from './state';

/** Sent to the process that started the daemon. */
export type DaemonMessage =
  | { readonly type: 'ready'; readonly state: CloudState }
  | { readonly type: 'failed'; readonly code?: string; readonly message: string };

/**
 * The local cloud as one process: MiniStack below it, the pipeline engine and the function runner
 * within. It ends with the process that started it, unless that one says `keep`.
 *
 * @param stateDir temporary folder, made if missing, removed at the end
 * @param logDir folder for the logs of actions, which stays
 */
export async function runDaemon(stateDir: string, logDir: string): Promise<void> {
  const closers: (() => Promise<void> | void)[] = [];
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= (async () => {
      for (const close of closers.reverse()) {
        await Promise.resolve(close()).catch((error) => console.error(error));
      }
      rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
    })();
    return ending;
  };
  const exit = () => void end().then(() => process.exit(0));
  for (const signal of SIGNALS) process.on(signal, exit);
  let kept = false;
  process.on('message', (message) => {
    if (message !== 'keep') return;
    kept = true;
    process.disconnect();
  });
  process.on('disconnect', () => {
    if (!kept) exit();
  });

  try {
    const { state } = await startServices(stateDir, logDir, closers);
    tell({ type: 'ready', state });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    await end();
    tell({ type: 'failed', ...(code ? { code } : {}), message }, () => process.exit(1));
  }
}

function tell(message: DaemonMessage, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => then());
  else then();
}
