import colors from 'picocolors';
import type { InvokeResult } from '../rehearsal/functions';
import type { LocalFunction } from './local-function';

/** What an invocation was, for people; the result itself goes elsewhere. */
export function describeInvocation(fn: LocalFunction, result: InvokeResult): string {
  const { runtime, version, architecture } = fn.layer;
  const what = `${runtime} ${version} ${architecture}`;
  const { how, notRun, isolation, initMilliseconds, milliseconds, functionError } = result;
  if (how === 'not-run') {
    const reason = [notRun?.why, notRun?.cure].filter(Boolean).join('; ');
    return `${colors.yellow('not run')}  ${what}: ${reason}`;
  }
  const where = isolation === 'namespace' ? '' : ", in this machine's file system";
  const init = initMilliseconds === undefined ? '' : `init ${initMilliseconds.toFixed(0)} ms, `;
  const outcome = functionError ? colors.red('failed') : colors.green('answered');
  return `${outcome}  ${what}, ${how}${where}: ${init}cold start and answer ${milliseconds.toFixed(0)} ms`;
}

/** The payload as it came, or indented for a terminal. */
export function describePayload(payload: string, terminal: boolean): string {
  if (!terminal) return payload;
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    // Not every function answers JSON.
    return payload;
  }
}
