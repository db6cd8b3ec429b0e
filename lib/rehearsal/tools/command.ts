import { execFile } from 'node:child_process';
import { LayersError } from '../../errors';

export interface CommandResult {
  /** Exit status; 127 when the program cannot be started. */
  readonly status: number;
  readonly signal?: NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** @default 10 minutes */
  readonly timeoutMilliseconds?: number;
}

/** Runs a program to its end without a shell, and never throws for its exit status. */
export function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      {
        cwd: options.cwd,
        env: options.env ?? process.env,
        timeout: options.timeoutMilliseconds ?? 600_000,
        killSignal: 'SIGKILL',
        maxBuffer: 64 * 1024 * 1024,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => {
        if (!error) return resolve({ status: 0, stdout, stderr });
        const status = typeof error.code === 'number' ? error.code : 127;
        resolve({ status, signal: error.signal, stdout, stderr: stderr || error.message });
      },
    );
  });
}

/** Like {@link run}, but a failure is an error that ends with what the program said last. */
export async function runOrThrow(
  code: string,
  what: string,
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await run(program, args, options);
  if (result.status === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-6).join('\n');
  throw new LayersError(
    code,
    `${what} failed: \`${[program, ...args.slice(0, 3)].join(' ')}\` ended with ${result.signal ?? `status ${result.status}`}: ${said}`,
  );
}
