import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { LayersError } from '../../errors';
import { freePorts, killGroup } from '../processes';
import { cloudEnvironment, startEnvironment } from './environment';
import { isHealthy } from './health';
import type { CloudAddress, CloudEnvironment, LocalCloudOptions } from './model';

const STARTUP = join(__dirname, 'startup.py');
const START_MILLISECONDS = 90_000;
const STOP_MILLISECONDS = 3_000;

/** The emulated AWS APIs: a MiniStack process, started here or by another process of a rehearsal. */
export class LocalCloud {
  private constructor(
    /** URL of every service, `https://localhost:<port>`. */
    readonly endpoint: string,
    /** PEM file with the certificate to trust. */
    readonly caFile: string,
    /** Where MiniStack logs; none when attached. */
    readonly logFile: string | undefined,
    private readonly child: ChildProcess | undefined,
  ) {}

  /** Starts MiniStack on a free loopback port, over TLS and with IAM enforced. */
  static async start(options: LocalCloudOptions): Promise<LocalCloud> {
    const { tools, stateDir } = options;
    mkdirSync(join(stateDir, 'tmp'), { recursive: true });
    const logFile = join(stateDir, 'ministack.log');
    for (let attempt = 1; ; attempt++) {
      const [port] = await freePorts(1);
      const log = openSync(logFile, 'w');
      const child = spawn(tools.pythonBin, ['-B', '-s', STARTUP], {
        cwd: stateDir,
        env: startEnvironment(options, port),
        stdio: ['ignore', log, log],
        detached: true,
      });
      closeSync(log);
      const caFile = join(stateDir, 'tmp', 'ministack-tls', 'server.crt');
      const cloud = new LocalCloud(`https://localhost:${port}`, caFile, logFile, child);
      if (await cloud.ready()) return cloud;
      await cloud.stop();
      const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
      if (attempt < 3 && /already in use|address in use/i.test(said)) continue;
      throw new LayersError(
        'LocalCloudNotStarted',
        said.includes("'openssl'")
          ? 'MiniStack needs the openssl program for its certificate: install it, for example with `apt-get install openssl`'
          : `MiniStack did not start, see ${logFile}: ${said || 'it said nothing'}`,
      );
    }
  }

  /** Uses one that another process of the rehearsal started, or that an earlier one kept. */
  static async attach({ endpoint, caFile }: CloudAddress): Promise<LocalCloud> {
    if (await isHealthy(endpoint, caFile)) {
      return new LocalCloud(endpoint, caFile, undefined, undefined);
    }
    throw new LayersError(
      'EmulatorNotReachable',
      `the local cloud at ${endpoint} does not answer any more: end what is left of it with \`npm run rehearse -- --stop\`, and rehearse again`,
    );
  }

  /** Process id of MiniStack; none when attached. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Variables that make AWS CLIs, SDKs and the CDK talk to this cloud as the account's root. */
  environment(account: string, region: string): CloudEnvironment {
    return cloudEnvironment(this.endpoint, this.caFile, account, region);
  }

  /** Configuration for AWS SDK clients in this process, as the account's root. */
  sdkConfig(account: string, region: string) {
    const ca = readFileSync(this.caFile);
    return {
      endpoint: this.endpoint,
      region,
      credentials: { accessKeyId: account, secretAccessKey: 'rehearsal' },
      // One address serves every bucket.
      forcePathStyle: true,
      requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca, keepAlive: true }) }),
    };
  }

  /** Ends MiniStack: politely, then not. Does nothing when attached or ended. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child || !this.alive || child.pid === undefined) return;
    const exited = once(child, 'exit');
    killGroup(child.pid, 'SIGTERM');
    const gone = exited.then(() => true);
    if (!(await Promise.race([gone, sleep(STOP_MILLISECONDS, false, { ref: false })]))) {
      killGroup(child.pid, 'SIGKILL');
      await exited;
    }
    // What MiniStack started shares its process group.
    killGroup(child.pid, 'SIGKILL');
  }

  private get alive(): boolean {
    return this.child !== undefined && this.child.exitCode === null && !this.child.signalCode;
  }

  private async ready(): Promise<boolean> {
    let failed = false;
    this.child?.once('error', () => {
      failed = true;
    });
    const deadline = Date.now() + START_MILLISECONDS;
    while (Date.now() < deadline && this.alive && !failed) {
      if (await isHealthy(this.endpoint, this.caFile)) return this.alive;
      await sleep(100);
    }
    return false;
  }
}
