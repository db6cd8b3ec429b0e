import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { LayersError } from '../../errors';
import { killGroup } from '../processes';

/** Groups of processes to end when the rehearsal is interrupted. */
const running = new Set<ChildProcess>();

export interface ProcessOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Receives everything that the program prints. */
  readonly logFile: string;
  /** What the program does, for the error: `deploying the pipeline`. */
  readonly what: string;
}

/**
 * Runs a program to its end, as a process group of its own.
 *
 * @throws LayersError `StepFailed`, with the tail of the log and the path of the whole
 */
export async function runLogged(
  program: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<void> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new TextDecoder();
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4000);
    });
  }
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...end) => resolve(end));
    },
  ).finally(async () => {
    running.delete(child);
    // Whoever reads the log, or removes its folder, must not come before its last line.
    await finished(log.end());
  });
  if (code === 0) return;
  const said = tail.trim().split('\n').slice(-15).join('\n');
  throw new LayersError(
    'StepFailed',
    `${options.what} ended with ${signal ?? `status ${code}`}; whole log: ${options.logFile}\n${said}`,
  );
}

/** Ends every program that {@link runLogged} still runs, with its children. */
export function killRunning(): void {
  for (const { pid } of running) {
    if (pid !== undefined) killGroup(pid, 'SIGKILL');
  }
}
