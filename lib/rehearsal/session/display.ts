import Table from 'cli-table3';
import colors from 'picocolors';
import yoctoSpinner, { type Spinner } from 'yocto-spinner';
import type { EngineEvent } from '../engine';
import { tailOf } from './log-tail';
import type { Report } from './report';

/** Shows what happens: a line for each thing that ended, and on a terminal what still runs. */
export class Display {
  private readonly spinner: Spinner | undefined;
  private readonly active = new Map<string, number>();
  private readonly timer: NodeJS.Timeout | undefined;
  private stage = '';

  constructor(
    private readonly out: NodeJS.WriteStream = process.stdout,
    private readonly root = process.cwd(),
    private readonly err: NodeJS.WriteStream = process.stderr,
  ) {
    if (!out.isTTY) return;
    this.spinner = yoctoSpinner({ stream: out });
    this.timer = setInterval(() => this.showActive(), 500);
    this.timer.unref();
  }

  line(text = ''): void {
    const spinning = this.spinner?.isSpinning;
    this.spinner?.clear();
    this.out.write(`${text}\n`);
    if (spinning) this.showActive();
  }

  /** Why the rehearsal failed, for standard error. */
  problem(text: string): void {
    this.spinner?.clear();
    this.err.write(`${colors.red(text)}\n`);
  }

  /** A part of the rehearsal before and after the pipeline. */
  async part<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    this.begin(name);
    const started = performance.now();
    try {
      const value = await work();
      this.done('ok', name, (performance.now() - started) / 1000);
      return value;
    } catch (error) {
      this.done('FAILED', name, (performance.now() - started) / 1000);
      throw error;
    } finally {
      this.end(name);
    }
  }

  step(name: string, seconds: number): void {
    this.done('ok', name, seconds, '  ');
  }

  event(event: EngineEvent): void {
    const { type, status } = event;
    if (type === 'execution' && status === 'InProgress') {
      this.stage = '';
      this.line();
      this.line(colors.bold(`pipeline execution ${event.executionId} (${event.trigger?.type})`));
    } else if (type === 'execution') {
      this.line(`${mark(status)} execution ${status.toLowerCase()}${note(event.message)}`);
    } else if (type === 'pipeline') {
      this.line(`pipeline ${event.pipeline.name} ${status.toLowerCase()}${note(event.message)}`);
    } else if (type === 'action') {
      this.action(event);
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.spinner?.stop();
  }

  private action(event: EngineEvent): void {
    const name = event.action ?? '';
    if (event.status === 'InProgress') {
      this.begin(name);
      return;
    }
    this.end(name);
    if (event.stage !== this.stage) {
      this.stage = event.stage ?? '';
      this.line(colors.bold(this.stage));
    }
    this.done(event.status, name, event.seconds ?? 0, '  ');
    if (event.status !== 'Failed') return;
    if (event.message) this.line(`    ${event.message.replaceAll('\n', '\n    ')}`);
    if (!event.log) return;
    for (const text of tailOf(event.log, 15)) this.line(colors.dim(`    | ${text}`));
    this.line(`    whole log: ${event.log.replace(`${this.root}/`, '')}`);
  }

  private done(status: string, name: string, seconds: number, indent = ''): void {
    this.line(
      `${indent}${mark(status)} ${name.padEnd(60 - indent.length)} ${seconds.toFixed(1).padStart(7)} s`,
    );
  }

  private begin(name: string): void {
    this.active.set(name, performance.now());
    if (this.spinner) this.showActive();
  }

  private end(name: string): void {
    this.active.delete(name);
    if (this.active.size === 0) this.spinner?.stop();
  }

  private showActive(): void {
    if (!this.spinner || this.active.size === 0) return;
    const texts = [...this.active].map(
      ([name, since]) => `${name} ${Math.round((performance.now() - since) / 1000)} s`,
    );
    this.spinner.text = texts.join(' · ').slice(0, Math.max(20, (this.out.columns ?? 80) - 4));
    if (!this.spinner.isSpinning) this.spinner.start();
  }
}

/** The recorded ARNs, a row each, with the parameters that point at it. */
export function arnTable(report: Report, namespace: string): string {
  const table = new Table({
    head: ['account', 'region', 'runtime', 'parameters', 'ARN'],
    style: { head: [], border: [], compact: true },
  });
  for (const { account, region, parameters } of report.targets) {
    const pointers = new Map<string, string[]>();
    for (const [name, arn] of Object.entries(parameters).sort(([one], [other]) =>
      one < other ? -1 : 1,
    )) {
      const [runtime, architecture, key] = name.slice(namespace.length + 1).split('/');
      if (key === 'releases') continue;
      const row = `${runtime}/${architecture} ${arn}`;
      pointers.set(row, [...(pointers.get(row) ?? []), key]);
    }
    for (const [row, keys] of pointers) {
      const [runtime, arn] = row.split(' ');
      table.push([account, region, runtime, keys.join(', '), arn]);
    }
  }
  return table.toString();
}

function mark(status: string): string {
  if (status === 'ok' || status === 'Succeeded') return colors.green('ok    ');
  if (status === 'Failed' || status === 'FAILED') return colors.red('FAILED');
  return colors.yellow(status.slice(0, 6).padEnd(6));
}

function note(message: string | undefined): string {
  return message ? `: ${message}` : '';
}
