import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { CloudState } from '../../../lib/rehearsal/daemon';
import { scratchFolder } from '../../../lib/rehearsal/scratch';
import type { Report } from '../../../lib/rehearsal/session/report';
import type { RawConfig } from './config';
import { readJsonFile } from './output';
import { type RehearsalRun, startRehearsal } from './run';
import { tracesOf } from './traces';

const REPOSITORY = resolve(__dirname, '../../..');

/**
 * A git checkout of its own, with one commit that is the working tree, and a temporary folder of
 * its own, so that whatever a rehearsal leaves behind is found there.
 */
export class Checkout {
  /** Top folder of the checkout. */
  readonly root: string;
  /** What programs started from here take for the machine's temporary folder. */
  readonly temporary: string;
  private reports = 0;

  private constructor(
    /** Contains everything; its path is how processes are recognized. */
    readonly dir: string,
  ) {
    this.root = join(dir, 'checkout');
    this.temporary = join(dir, 'tmp');
  }

  /** @param layers with the layers that are built already; without them each is built anew */
  static create({ layers = true } = {}): Checkout {
    const checkout = new Checkout(mkdtempSync(join(scratchFolder(), 'layers-e2e-')));
    mkdirSync(checkout.root);
    mkdirSync(checkout.temporary);
    checkout.fill(layers);
    return checkout;
  }

  /** Packages and built layers as a person has them there; both are ignored by git. */
  private fill(layers: boolean): void {
    const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
      cwd: REPOSITORY,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    for (const file of new Set(files.split('\0').filter(Boolean))) {
      if (existsSync(join(REPOSITORY, file))) {
        cpSync(join(REPOSITORY, file), join(this.root, file), { recursive: true });
      }
    }
    this.git('init', '--quiet', '--initial-branch=main');
    // The pattern `node_modules/` does not match a link.
    writeFileSync(join(this.root, '.git/info/exclude'), 'node_modules\n');
    symlinkSync(join(REPOSITORY, 'node_modules'), join(this.root, 'node_modules'), 'dir');
    if (layers && existsSync(join(REPOSITORY, 'dist/layers'))) {
      cpSync(join(REPOSITORY, 'dist/layers'), join(this.root, 'dist/layers'), { recursive: true });
    }
    this.git('add', '--all');
    this.git('commit', '--quiet', '--message=First');
  }

  git(...args: string[]): string {
    const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@localhost'];
    return execFileSync('git', [...identity, ...args], { cwd: this.root, encoding: 'utf8' });
  }

  /** Writes a file beside the checkout, and answers its path. */
  write(name: string, content: unknown): string {
    const file = join(this.dir, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  /** `npm run rehearse -- <args> --report FILE`, without npm around it. */
  start(...args: string[]): RehearsalRun {
    const report = join(this.dir, `report-${++this.reports}.json`);
    return startRehearsal([...args, '--report', report], {
      root: this.root,
      temporary: this.temporary,
      report,
    });
  }

  /**
   * Rehearses a configuration to its success, in the local cloud that is kept.
   *
   * @returns the report; how long each part took is printed, for who measures
   */
  async releases(name: string, config: RawConfig): Promise<Report> {
    const file = this.write(name, config);
    const { code, report } = await this.start('--config', file, '--keep').reported();
    expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });
    const parts = report.parts.map((part) => `${part.name} ${part.seconds} s`);
    console.log([`${report.seconds} s`, ...parts].join('\n'));
    return report;
  }

  /** A command line as it is. */
  command(...args: string[]): RehearsalRun {
    return startRehearsal(args, { root: this.root, temporary: this.temporary });
  }

  /** The kept local cloud's own account of itself. */
  kept(): CloudState | undefined {
    const file = this.keptFile;
    return existsSync(file) ? readJsonFile<CloudState>(file) : undefined;
  }

  temporaryFiles(): string[] {
    return readdirSync(this.temporary);
  }

  get keptFile(): string {
    return join(this.root, '.rehearsal/kept.json');
  }

  /** Ends a kept cloud and whatever else still runs, and removes everything. */
  async dispose(): Promise<void> {
    if (existsSync(this.keptFile)) await this.command('--stop').ended;
    for (const { pid } of tracesOf(this.dir)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
