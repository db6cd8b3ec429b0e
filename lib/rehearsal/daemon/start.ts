import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LayersError } from '../../errors';
import { assertWritable } from '../../write';
import { isAlive } from '../processes';
import { giveScratch, makeScratch } from '../scratch';
import type { DaemonMessage } from './daemon';
import { type CloudState, KEPT_FILE, readKept, writeState } from './state';

/** File, in the folder of the logs, with the process id of the rehearsal that they are of. */
const OWNER_FILE = 'rehearsal.pid';

/** Longest wait for an orderly end before the process is killed. */
const END_MILLISECONDS = 20_000;

/** A local cloud that this process uses: its own, or one that `--keep` left running. */
export class CloudHandle {
  private constructor(
    readonly state: CloudState,
    /** False for a local cloud that ran before. */
    readonly isNew: boolean,
    private readonly child: ChildProcess | undefined,
  ) {}

  /**
   * Uses the kept local cloud of this checkout, or starts one.
   *
   * @throws LayersError `RehearsalRunning`, `WriteFailed`, `LocalCloudNotStarted` and what the local cloud says
   */
  static async open(root: string, logDir: string): Promise<CloudHandle> {
    const kept = readKept(root);
    if (kept) return new CloudHandle(kept, false, undefined);
    await assertWritable(logDir);
    refuseSecond(join(logDir, OWNER_FILE));
    const stateDir = makeScratch();
    // Logs of the rehearsal before would be taken for this one's.
    rmSync(logDir, { recursive: true, force: true });
    mkdirSync(logDir, { recursive: true });
    writeFileSync(join(logDir, OWNER_FILE), String(process.pid));
    const logFile = join(logDir, 'local-cloud.log');
    const log = openSync(logFile, 'w');
    const child = fork(join(root, 'bin/rehearse.js'), ['local-cloud', stateDir, logDir], {
      // A session of its own: Ctrl-C reaches this process, which then ends the other in order.
      detached: true,
      env: { ...process.env, TMPDIR: stateDir },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    if (child.pid) giveScratch(stateDir, child.pid);
    const message = await firstMessage(child);
    if (message?.type === 'ready') return new CloudHandle(message.state, true, child);
    rmSync(stateDir, { recursive: true, force: true });
    const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-10).join('\n');
    throw new LayersError(
      message?.code ?? 'LocalCloudNotStarted',
      message?.message ?? `the local cloud did not start, see ${logFile}: ${said}`,
    );
  }

  /** Leaves the local cloud running when this process ends. */
  keep(root: string): void {
    writeState(join(root, KEPT_FILE), this.state);
    if (!this.child) return;
    this.child.send('keep');
    this.child.unref();
  }

  /** Ends a local cloud that this process started; a kept one stays. */
  async close(): Promise<void> {
    if (this.isNew) await endProcess(this.state);
  }
}

/** Ends the local cloud that `--keep` left running; false when there is none. */
export async function stopKept(root: string): Promise<boolean> {
  const kept = readKept(root);
  if (!kept) return false;
  await endProcess(kept);
  rmSync(join(root, KEPT_FILE), { force: true });
  return true;
}

/** Two rehearsals of one checkout would delete each other's logs. */
function refuseSecond(ownerFile: string): void {
  let owner: string;
  try {
    owner = readFileSync(ownerFile, 'utf8');
    const command = readFileSync(`/proc/${owner}/cmdline`, 'utf8');
    if (owner === String(process.pid) || !command.includes('rehearse')) return;
  } catch (error) {
    // No rehearsal yet, or one that has ended.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    throw error;
  }
  throw new LayersError(
    'RehearsalRunning',
    `process ${owner} rehearses in this checkout; wait until it has ended, or rehearse in another clone`,
  );
}

async function endProcess({ pid, stateDir }: CloudState): Promise<void> {
  if (isAlive(pid)) process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + END_MILLISECONDS;
  while (isAlive(pid) && Date.now() < deadline) await sleep(50);
  // MiniStack and the functions end with their parent, by the kernel's own means.
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  // One that was killed could not remove it.
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
}

async function firstMessage(child: ChildProcess): Promise<DaemonMessage | undefined> {
  const abort = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: abort.signal }).then(([message]) => message),
      once(child, 'exit', { signal: abort.signal }).then(() => undefined),
    ]);
  } finally {
    abort.abort();
  }
}
