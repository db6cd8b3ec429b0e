import { Command, InvalidArgumentError, Option } from 'commander';
import colors from 'picocolors';
import { describeError, LayersError } from '../errors';
import { SIGNALS } from '../interrupt';
import { parseTypedPath } from '../options';
import type { InvokeResult } from '../rehearsal/functions';
import { ARCHITECTURES, type Architecture } from '../release';
import { type EventSource, eventSource } from './event';
import { LocalFunction } from './local-function';
import { describeInvocation, describePayload } from './report';
import { Watcher } from './watch';

/** Exit codes: the function answered; it or the command failed; it could not be run here. */
export const EXIT = { answered: 0, failed: 1, notRun: 2, interrupted: 130, hungUp: 129 } as const;

interface Options {
  readonly arch?: Architecture;
  readonly version?: string;
  readonly code?: string;
  readonly handler?: string;
  readonly event: string;
  readonly env: Readonly<Record<string, string>>;
  readonly memory?: number;
  readonly timeout: number;
  readonly watch: boolean;
}

/** `npm run invoke -- <runtime> …` */
export function invokeCommand(): Command {
  return new Command('invoke')
    .description("Run a function on a runtime's layer on this machine, without an AWS account")
    .argument('<runtime>', 'name of a folder under assets/runtimes, such as deno')
    .addOption(
      new Option('--arch <architecture>', "processor (default: this machine's)").choices(
        ARCHITECTURES,
      ),
    )
    .option('--version <version>', 'of the interpreter (default: the newest one pinned)')
    .option(
      '--code <folder>',
      "your own function's folder (default: the runtime's example)",
      parseTypedPath('invoke'),
    )
    .option('--handler <file.function>', "(default: as in the runtime's example)")
    .option('--event <event>', 'file, - for standard input, or JSON', '{}')
    .option('--env <NAME=value>', 'variable of the function; may be repeated', variable, {})
    .option('--memory <MB>', 'that the function is told (default: as in runtime.json)', memory)
    .option('--timeout <seconds>', 'longest time for an answer', timeout, 30)
    .option('--watch', 'run again whenever the code or the event file changes', false)
    .action(async (runtime: string, options: Options) => {
      process.exitCode = await run(runtime, options);
    });
}

async function run(runtime: string, options: Options): Promise<number> {
  const event = eventSource(options.event);
  let fn: LocalFunction | undefined;
  let ending = false;
  const interrupt = async (signal: NodeJS.Signals) => {
    // npm passes on a Ctrl-C that the terminal has sent to this process, too.
    if (ending) return;
    ending = true;
    await fn?.close();
    process.exit(signal === 'SIGHUP' ? EXIT.hungUp : EXIT.interrupted);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    // A wrong event is known before a layer is built.
    await event.read();
    fn = await LocalFunction.create({
      runtime,
      version: options.version,
      architecture: options.arch,
      codeDir: options.code,
      handler: options.handler,
      environment: options.env,
      memoryMb: options.memory,
      timeoutSeconds: options.timeout,
      onNotice: say,
    });
    if (options.watch) return await invokeOnChanges(fn, event);
    return (await invokeOnce(fn, event)).status;
  } catch (error) {
    // What an interrupt has broken off is no fault.
    if (ending) return EXIT.interrupted;
    throw error;
  } finally {
    await fn?.close();
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

interface Outcome {
  readonly status: number;
  /** False where nobody reads standard output any more. */
  readonly read: boolean;
}

/** The answer goes to standard output, alone; everything else to standard error. */
async function invokeOnce(fn: LocalFunction, event: EventSource): Promise<Outcome> {
  const result = await fn.invoke(await event.read());
  if (result.log !== '') process.stderr.write(colors.dim(withLineEnd(result.log)));
  const answer = describePayload(result.payload, process.stdout.isTTY ?? false);
  const read = answer === '' || (await print(withLineEnd(answer)));
  say(describeInvocation(fn, result));
  return { status: exitCode(result), read };
}

/**
 * Runs until it is interrupted, or nobody reads the answers any more; what is wrong with one run may
 * be right in the next.
 */
async function invokeOnChanges(fn: LocalFunction, event: EventSource): Promise<number> {
  const watcher = new Watcher(fn.spec.codeDir, event.file ? [event.file] : []);
  try {
    for (;;) {
      const outcome = await invokeOnce(fn, event).catch((error) => {
        // What is gone cannot be watched.
        if (error instanceof LayersError && error.code === 'InvalidCode') throw error;
        say(describeError(error));
      });
      if (outcome?.read === false) return outcome.status;
      say(colors.dim(`watching ${fn.spec.codeDir}; Ctrl-C ends`));
      say(colors.dim(`${await watcher.next()} changed`));
    }
  } finally {
    watcher.close();
  }
}

function exitCode({ how, functionError }: InvokeResult): number {
  if (how === 'not-run') return EXIT.notRun;
  return functionError ? EXIT.failed : EXIT.answered;
}

/** Answers whether somebody reads it. */
function print(text: string): Promise<boolean> {
  return new Promise((done) => {
    process.stdout.write(text, (error) => done(!error));
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** Not its credentials and region: here they are how a function reaches AWS. */
const SET_BY_LAMBDA =
  /^(AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API)|AWS_EXECUTION_ENV|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

function variable(text: string, previous: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('write NAME=value.');
  if (SET_BY_LAMBDA.test(name)) {
    throw new InvalidArgumentError(`${name} is set by Lambda, which refuses it; leave it out.`);
  }
  return { ...previous, [name]: value };
}

function memory(text: string): number {
  return numberBetween(text, 128, 10240, 'megabytes');
}

function timeout(text: string): number {
  return numberBetween(text, 1, 900, 'seconds');
}

function numberBetween(text: string, least: number, most: number, unit: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`write ${least} to ${most} ${unit}, as on Lambda.`);
}
