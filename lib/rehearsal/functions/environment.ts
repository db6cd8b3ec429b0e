import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LayersError } from '../../errors';
import { freePorts, killGroup } from '../processes';
import { postJson } from './post';
import { functionLog, readTranscript, type Transcript } from './transcript';

const START_MILLISECONDS = 20_000;
const INVOCATIONS = '/2015-03-31/functions/function/invocations';

export interface EmulatorAnswer {
  readonly body: string;
  readonly log: string;
  readonly transcript: Transcript;
  /** The environment cannot be used again. */
  readonly spent: boolean;
}

/** Builds the command line for the emulator's two loopback addresses. */
export type EmulatorCommand = (emulatorAddress: string, runtimeAddress: string) => string[];

export interface StartOptions {
  /** In a namespace SIGKILL takes all at once; elsewhere the emulator must end its runtime. */
  readonly stopSignal: 'SIGTERM' | 'SIGKILL';
  readonly cwd: string;
}

/** One execution environment: a Runtime Interface Emulator and the runtime that it keeps warm. */
export class ExecutionEnvironment {
  private stdout = '';
  private stderr = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly address: string,
    private readonly stopSignal: NodeJS.Signals,
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Starts the emulator; a port that was taken in the meantime is tried again. */
  static async start(
    options: StartOptions,
    command: EmulatorCommand,
  ): Promise<ExecutionEnvironment> {
    let said = '';
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [emulator, runtime] = await freePorts(2);
      const address = `127.0.0.1:${emulator}`;
      const [program, ...args] = command(address, `127.0.0.1:${runtime}`);
      const child = spawn(program, args, {
        cwd: options.cwd,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        detached: true,
      });
      const environment = new ExecutionEnvironment(child, address, options.stopSignal);
      if (await environment.ready()) return environment;
      await environment.stop();
      said = (environment.stderr || environment.stdout).trim().split('\n').slice(-3).join('\n');
      if (!said.includes('address already in use')) break;
    }
    throw new LayersError(
      'EmulatorNotStarted',
      `the Runtime Interface Emulator did not start: ${said || 'it said nothing'}`,
    );
  }

  get alive(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && !this.child.signalCode;
  }

  /** @param milliseconds longest time for an answer, where the emulator does not end it before */
  async invoke(event: string, requestId: string, milliseconds: number): Promise<EmulatorAnswer> {
    this.stdout = '';
    this.stderr = '';
    const limit = AbortSignal.timeout(milliseconds);
    let body = '';
    let lost = false;
    try {
      const url = `http://${this.address}${INVOCATIONS}`;
      body = await postJson(url, event, { 'x-amzn-requestid': requestId }, limit);
      await this.settle(requestId);
    } catch (error) {
      if (this.alive && !limit.aborted) throw error;
      lost = true;
    }
    const transcript = readTranscript(this.stderr);
    const timedOut = transcript.timedOut || (lost && limit.aborted);
    return {
      body,
      log: functionLog(this.stdout, requestId),
      transcript: { ...transcript, timedOut },
      spent: timedOut || lost || transcript.fatal !== undefined,
    };
  }

  /** Ends the emulator, the runtime and, with them, the namespace and its mounts. */
  async stop(): Promise<void> {
    if (!this.alive || this.child.pid === undefined) return;
    const closed = once(this.child, 'close');
    killGroup(this.child.pid, this.stopSignal);
    const gone = await Promise.race([closed.then(() => true), sleep(1000, false, { ref: false })]);
    if (!gone) {
      killGroup(this.child.pid, 'SIGKILL');
      await closed;
    }
  }

  private async ready(): Promise<boolean> {
    const deadline = Date.now() + START_MILLISECONDS;
    let failed = false;
    this.child.once('error', (error) => {
      failed = true;
      this.stderr += error.message;
    });
    while (Date.now() < deadline && this.alive && !failed) {
      const listening = this.stderr.includes('Runtime API Server listening');
      if (listening && (await accepts(this.address))) return this.alive;
      await sleep(10);
    }
    return false;
  }

  /** What the runtime wrote may arrive after the answer. */
  private async settle(requestId: string): Promise<void> {
    const deadline = Date.now() + 1000;
    const reported = () => this.stdout.includes(`REPORT RequestId: ${requestId}`);
    while (Date.now() < deadline && this.alive) {
      const { finished, fatal } = readTranscript(this.stderr);
      if (finished && (fatal || reported())) return;
      await sleep(2);
    }
  }
}

function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
