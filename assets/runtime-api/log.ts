import type { Invocation } from './client';
import { describeError, type ErrorDocument, errorText, OWN } from './errors';
import { formatText } from './format-text';
import type { Platform } from './platform';

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
type Level = (typeof LEVELS)[number];

const CONSOLE_METHODS: Readonly<Record<string, Level>> = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  log: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'FATAL',
};

/**
 * The function's log, in the forms of Lambda's own Node.js runtime
 * (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html): a record
 * a line, as text `<time>\t<request id>\t<level>\t<message>` with carriage returns for the
 * message's line ends, or as JSON. All go to standard output, so that they keep their order, and
 * before the call returns, so that no end of the process can lose them.
 */
export class Log {
  /** The invocation that records belong to: the latest one. */
  invocation: Invocation | undefined;
  private readonly json: boolean;
  private readonly lowest: number;

  constructor(private readonly platform: Pick<Platform, 'getEnv' | 'inspect' | 'print'>) {
    this.json = platform.getEnv('AWS_LAMBDA_LOG_FORMAT')?.toUpperCase() === 'JSON';
    const level = platform.getEnv('AWS_LAMBDA_LOG_LEVEL')?.toUpperCase() as Level | undefined;
    this.lowest = Math.max(0, level ? LEVELS.indexOf(level) : 0);
  }

  /** Lets the methods of a console that have a level write records. */
  takeOver(console: object): void {
    const methods = Object.entries(CONSOLE_METHODS).map(([name, level]) => [
      name,
      (...args: unknown[]) => this.write(level, args),
    ]);
    Object.assign(console, Object.fromEntries(methods));
  }

  warn(text: string): void {
    this.write('WARN', [text]);
  }

  error(error: ErrorDocument): void {
    this.write('ERROR', [this.json ? this.withOwn(error) : errorText(error, this.inspect)]);
  }

  private write(level: Level, args: readonly unknown[]): void {
    if (LEVELS.indexOf(level) < this.lowest) return;
    const time = new Date().toISOString();
    const line = this.json ? this.record(time, level, args) : this.line(time, level, args);
    this.platform.print(`${line}\n`);
  }

  private line(time: string, level: Level, args: readonly unknown[]): string {
    const message = formatText(args, this.platform.inspect).replace(/\r?\n/g, '\r');
    return `${time}\t${this.invocation?.id ?? '-'}\t${level}\t${message}`;
  }

  private record(timestamp: string, level: Level, args: readonly unknown[]): string {
    const { inspect } = this.platform;
    const fields = {
      timestamp,
      level,
      requestId: this.invocation?.id,
      tenantId: this.invocation?.headers.get('lambda-runtime-aws-tenant-id'),
    };
    if (args.length === 1) {
      const message = this.asJson(args[0]);
      if (message !== undefined)
        return `${JSON.stringify(fields).slice(0, -1)},"message":${message}}`;
    }
    const error = args.find((arg) => arg instanceof Error);
    const message = formatText(args, inspect);
    return JSON.stringify({ ...fields, message, ...(error && describeError(error, inspect)) });
  }

  /** An error with its own properties, those that JSON has no form of as text. */
  private withOwn({ cause, [OWN]: own = {}, ...error }: ErrorDocument): object {
    const properties = Object.entries(own).map(([key, value]) => {
      const omitted = value === undefined || typeof value === 'function';
      const isJson = omitted || this.asJson(value) !== undefined;
      return [key, isJson ? value : this.inspect(value)];
    });
    return {
      ...error,
      ...(cause && { cause: this.withOwn(cause) }),
      ...Object.fromEntries(properties),
    };
  }

  /** What was thrown may have a say in how it is shown, and must not fail what reports it. */
  private readonly inspect = (value: unknown): string => {
    try {
      return this.platform.inspect(value);
    } catch {
      return '[cannot be shown]';
    }
  };

  /** Undefined for what JSON has no form of: a function, a circle, a BigInt. */
  private asJson(value: unknown): string | undefined {
    const { inspect } = this.platform;
    // The same object for the same error: else errors in a circle would be walked until the stack ends.
    const described = new Map<Error, object>();
    try {
      return JSON.stringify(value, (_, part) => {
        if (!(part instanceof Error)) return part;
        const known = described.get(part);
        if (known) return known;
        const { [OWN]: own, ...document } = describeError(part, inspect);
        const all = { ...document, ...own, ...part };
        described.set(part, all);
        return all;
      });
    } catch {
      return undefined;
    }
  }
}
