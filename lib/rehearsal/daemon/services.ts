import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCloud } from '../cloud';
import { PipelineEngine } from '../engine';
import { FunctionRunner } from '../functions';
import type { InvokeHook, InvokeHookAnswer } from '../hooks';
import { ensureTools } from '../tools';
import type { CloudState, Invocation } from './state';

/** Error type by which the smoke action knows that the machine could not run the function. */
export const NOT_RUN = 'Rehearsal.NotRun';

/** Everything that a local cloud consists of, in this process and below it. */
export interface LocalServices {
  readonly state: CloudState;
  readonly engine: PipelineEngine;
  readonly cloud: LocalCloud;
}

/**
 * Starts MiniStack below this process, the pipeline engine and the function runner within.
 *
 * @param stateDir folder for everything temporary
 * @param logDir folder for the logs of actions
 * @param closers gets what ends each part, to be called in reverse order, also after a failure
 */
export async function startServices(
  stateDir: string,
  logDir: string,
  closers: (() => Promise<void> | void)[],
): Promise<LocalServices> {
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
  const state = {
    pid: process.pid,
    stateDir,
    engineUrl: server.url,
    endpoint: cloud.endpoint,
    caFile: cloud.caFile,
    invocationsFile,
    awsBin: tools.awsBin,
  };
  return { state, engine, cloud };
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
