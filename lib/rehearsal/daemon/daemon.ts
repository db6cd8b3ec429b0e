import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCloud } from '../cloud';
import { PipelineEngine } from '../engine';
import { FunctionRunner } from '../functions';
import type { InvokeHook, InvokeHookAnswer } from '../hooks';
import { ensureTools } from '../tools';
import type { CloudState, Invocation } from './state';

/** Error type by which the smoke action knows that the machine could not run the function. */
export const NOT_RUN = 'Rehearsal.NotRun';

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
  process.on('SIGTERM', exit);
  process.on('SIGINT', exit);
  process.on('SIGHUP', exit);
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
    const state = await start(stateDir, logDir, closers);
    tell({ type: 'ready', state });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    await end();
    tell({ type: 'failed', ...(code ? { code } : {}), message }, () => process.exit(1));
  }
}

async function start(
  stateDir: string,
  logDir: string,
  closers: (() => Promise<void> | void)[],
): Promise<CloudState> {
  const workDir = join(stateDir, 'work');
  mkdirSync(workDir, { recursive: true });
  const tools = await ensureTools();
  const runner = await FunctionRunner.create({ tools });
  closers.push(() => runner.close());
  const invocationsFile = join(stateDir, 'invocations.ndjson');
  let cloud: LocalCloud | undefined;
  const started = (): LocalCloud => {
    if (!cloud) throw new Error('the local cloud has not started yet');
    return cloud;
  };
  const engine = new PipelineEngine({
    sdkConfig: ((account: string, region: string, credentials?: object) => ({
      ...started().sdkConfig(account, region),
      ...(credentials ? { credentials } : {}),
    })) as ConstructorParameters<typeof PipelineEngine>[0]['sdkConfig'],
    environment: (account, region) => started().environment(account, region),
    logDir,
    workDir,
    invoke: (hook) => invoke(runner, hook, invocationsFile),
  });
  closers.push(() => engine.stop());
  const server = await engine.listen();
  cloud = await LocalCloud.start({
    tools,
    stateDir: join(stateDir, 'cloud'),
    hooksUrl: server.url,
  });
  closers.push(() => started().stop());
  return {
    pid: process.pid,
    stateDir,
    engineUrl: server.url,
    endpoint: cloud.endpoint,
    caFile: cloud.caFile ?? '',
    invocationsFile,
    awsBin: tools.awsBin,
  };
}

async function invoke(
  runner: FunctionRunner,
  hook: InvokeHook,
  invocationsFile: string,
): Promise<InvokeHookAnswer> {
  const result = await runner.invoke(hook, hook.event, { requestId: hook.requestId });
  const { how, isolation, milliseconds, notRun } = result;
  const line: Invocation = {
    functionArn: hook.functionArn,
    how,
    isolation,
    milliseconds,
    ...(notRun ? { notRun } : {}),
  };
  appendFileSync(invocationsFile, `${JSON.stringify(line)}\n`);
  if (how !== 'not-run') return result;
  return {
    payload: JSON.stringify({
      errorType: NOT_RUN,
      errorMessage: notRun ? `${notRun.why}; ${notRun.cure}` : 'this machine cannot run it',
    }),
    functionError: 'Unhandled',
    log: '',
  };
}

function tell(message: DaemonMessage, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => then());
  else then();
}
