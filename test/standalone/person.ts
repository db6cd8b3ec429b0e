import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { LocalCloud } from '../../lib/rehearsal/cloud';
import { FunctionRunner } from '../../lib/rehearsal/functions';
import type { InvokeHook } from '../../lib/rehearsal/hooks';
import { ensureTools } from '../../lib/rehearsal/tools';

const ROOT = resolve(__dirname, '../..');

/** How a program ended, and what it said. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A person with one account of a local cloud, the real CDK CLI and the real AWS CLI. */
export class Person {
  private constructor(
    readonly cloud: LocalCloud,
    /** Removed at the end. */
    readonly dir: string,
    private readonly awsBin: string,
    private readonly runner: FunctionRunner,
    private readonly hooks: Server,
    private readonly account: string,
    private readonly region: string,
  ) {}

  /** A new cloud whose functions really run, its one account bootstrapped. */
  static async start(account: string, region: string): Promise<Person> {
    const tools = await ensureTools();
    const dir = mkdtempSync(join(tmpdir(), 'standalone-deploy-'));
    const runner = await FunctionRunner.create({ tools });
    const hooks = createServer(async (request, response) => {
      try {
        const hook = (await json(request)) as InvokeHook;
        response.end(JSON.stringify(await runner.invoke(hook, hook.event)));
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    }).listen(0, '127.0.0.1');
    await once(hooks, 'listening');
    const hooksUrl = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`;
    let cloud: LocalCloud | undefined;
    try {
      cloud = await LocalCloud.start({ tools, stateDir: join(dir, 'cloud'), hooksUrl });
      const person = new Person(cloud, dir, tools.awsBin, runner, hooks, account, region);
      const said = await person.cdk('bootstrap', `aws://${account}/${region}`, '--app', '');
      if (said.status !== 0) throw new Error(`cdk bootstrap failed: ${said.stderr}`);
      return person;
    } catch (error) {
      await cloud?.stop();
      await runner.close();
      hooks.close();
      rmSync(dir, { recursive: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.cloud.stop();
    await this.runner.close();
    this.hooks.closeAllConnections();
    await new Promise((done) => this.hooks.close(done));
    rmSync(this.dir, { recursive: true });
  }

  /** The CDK CLI in the project's own folder, by the project's own cdk.json. */
  cdk(...args: string[]): Promise<Said> {
    const quiet = ['--no-color', '--ci=false', '--output', join(this.dir, 'cdk.out')];
    return this.run(join(ROOT, 'node_modules/.bin/cdk'), [...args, ...quiet]);
  }

  /** `cdk deploy`; answers the outputs by stack. */
  async deploy(...args: string[]): Promise<Said & { outputs: Outputs }> {
    const file = join(this.dir, 'outputs.json');
    rmSync(file, { force: true });
    const said = await this.cdk(
      'deploy',
      ...['--require-approval', 'never', '--outputs-file', file],
      ...args,
    );
    if (said.status !== 0) return { ...said, outputs: {} };
    return { ...said, outputs: JSON.parse(readFileSync(file, 'utf8')) };
  }

  /** The AWS CLI; answers its JSON. */
  async aws<T>(...args: string[]): Promise<T> {
    const said = await this.run(this.awsBin, [...args, '--output', 'json']);
    if (said.status !== 0) throw new Error(`aws ${args.join(' ')}: ${said.stderr}`);
    return said.stdout === '' ? (undefined as T) : JSON.parse(said.stdout);
  }

  /** `aws lambda invoke`; answers the payload. */
  async invoke(functionName: string, event: unknown): Promise<unknown> {
    const [request, response] = ['event.json', 'answer.json'].map((name) => join(this.dir, name));
    writeFileSync(request, JSON.stringify(event));
    const call = ['lambda', 'invoke', '--function-name', functionName];
    await this.aws(...call, '--payload', `fileb://${request}`, response);
    return JSON.parse(readFileSync(response, 'utf8'));
  }

  private run(program: string, args: readonly string[]): Promise<Said> {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(AWS|CDK|LAYERS)_/.test(name),
    );
    const env = {
      ...Object.fromEntries(inherited),
      ...this.cloud.environment(this.account, this.region),
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_NOTICES: 'false',
      CDK_DISABLE_VERSION_CHECK: 'true',
    };
    return new Promise((done) => {
      execFile(program, args, { cwd: ROOT, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
        done({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
    });
  }
}

/** Stack name to its outputs. */
export type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;
