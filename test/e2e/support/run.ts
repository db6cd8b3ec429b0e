import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../../lib/rehearsal/session/report';
import { readJsonFile } from './output';

/** How a rehearsal ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An outcome with the report that `--report` asked for. */
export interface ReportedOutcome extends Outcome {
  readonly report: Report;
}

export interface RunPlace {
  readonly root: string;
  readonly temporary: string;
  /** @default none asked for */
  readonly report?: string;
}

/** A rehearsal as a process of its own. */
export class RehearsalRun {
  readonly ended: Promise<Outcome>;
  private stdout = '';
  private stderr = '';

  constructor(
    readonly child: ChildProcess,
    private readonly place: RunPlace,
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** Waits for the end. A run without a report fails here, with what it said. */
  async reported(): Promise<ReportedOutcome> {
    const outcome = await this.ended;
    const file = this.place.report ?? '';
    if (!existsSync(file)) throw new Error(`no report was written: ${describe(outcome)}`);
    return { ...outcome, report: readJsonFile<Report>(file) };
  }

  /** Waits until `found` answers something, for as long as the rehearsal runs. */
  async until<Found>(found: () => Found | undefined): Promise<Found> {
    while (this.child.exitCode === null && this.child.signalCode === null) {
      const value = found();
      if (value !== undefined) return value;
      await sleep(10);
    }
    throw new Error(`the rehearsal ended before: ${describe(await this.ended)}`);
  }

  /** What Ctrl-C does on a terminal: SIGINT to the whole foreground process group. */
  interrupt(): void {
    process.kill(-(this.child.pid as number), 'SIGINT');
  }
}

export function startRehearsal(args: readonly string[], place: RunPlace): RehearsalRun {
  const child = spawn(process.execPath, [join(place.root, 'bin/rehearse.js'), ...args], {
    cwd: place.root,
    env: { ...userEnvironment(), TMPDIR: place.temporary },
    // Leader of a process group, as a shell starts it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new RehearsalRun(child, place);
}

/** This environment without what the test runner or an AWS user put there. */
function userEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS_|CDK_|JEST_|NODE_ENV$)/.test(name)),
  );
}

function describe({ code, signal, stdout, stderr }: Outcome): string {
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-40).join('\n');
  return `${signal ?? `exit code ${code}`}\n${said}`;
}
