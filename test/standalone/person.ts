import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { LocalCloud } from '../../lib/rehearsal/cloud';
import { FunctionRunner } from '../../lib/rehearsal/functions';
import type { InvokeHook } from '../../lib/rehearsal/hooks';
import { ensureTools, type Tools } from '../../lib/rehearsal/tools';
import type { Architecture } from '../../lib/release';

const ROOT = resolve(__dirname, '../..');

/** How a program ended, and what it said. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Stack name to its outputs. */
export type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Place {
  /** Folder that the command is typed in. */
  readonly cwd?: string;
  /** Variables beside those of the cloud. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A person with a local cloud, a shell, the real CDK CLI and the real AWS CLI. */
export class Person {
  private constructor(
    readonly cloud: LocalCloud,
    /** Removed at the end. */
    readonly dir: string,
    private readonly tools: Tools,
    private readonly runner: FunctionRunner,
    private readonly hooks: Server,
    private readonly account: string,
    private readonly region: string,
  ) {}

  /** A new cloud whose functions really run, with nothing in it. */
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
    try {
      const cloud = await LocalCloud.start({ tools, stateDir: join(dir, 'cloud'), hooksUrl });
      return new Person(cloud, dir, tools, runner, hooks, account, region);
    } catch (error) {
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

  /** Whether this machine can run functions of an architecture. */
  runs(architecture: Architecture): boolean {
    return architecture === this.tools.native || this.tools.qemu !== undefined;
  }

  /** A line as one types it into a shell, by default in the project's own folder. */
  type(line: string, { cwd = ROOT, env = {} }: Place = {}): Promise<Said> {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(AWS|CDK|LAYERS|npm)_/.test(name),
    );
    const surroundings = {
      ...Object.fromEntries(inherited),
      ...this.cloud.environment(this.account, this.region),
      PATH: [dirname(this.tools.awsBin), process.env.PATH].join(delimiter),
      CDK_CI: 'false',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
      CDK_DISABLE_VERSION_CHECK: 'true',
      CDK_NOTICES: 'false',
      CDK_OUTPUT: join(this.dir, 'cdk.out'),
      CDK_OUTPUTS_FILE: this.outputsFile,
      // Nobody is there to answer a question.
      CDK_REQUIRE_APPROVAL: 'never',
      // CDK's own check of the templates takes five seconds each time; one deployment has it.
      CDK_VALIDATION: 'false',
      ...env,
    };
    const options = { cwd, env: surroundings, maxBuffer: 2 ** 26 };
    return new Promise((done) => {
      execFile('bash', ['-c', line], options, (error, stdout, stderr) => {
        done({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
    });
  }

  /** `npx cdk deploy …`; answers the outputs by stack. */
  async deploy(line: string, place: Place = {}): Promise<Said & { outputs: Outputs }> {
    rmSync(this.outputsFile, { force: true });
    const said = await this.type(line, place);
    const outputs = existsSync(this.outputsFile)
      ? JSON.parse(readFileSync(this.outputsFile, 'utf8'))
      : {};
    return { ...said, outputs };
  }

  /** `npx cdk destroy …`, without its question. */
  destroy(line: string, { cwd, env }: Place = {}): Promise<Said> {
    return this.type(line, { cwd, env: { CDK_FORCE: 'true', ...env } });
  }

  /** The AWS CLI; answers its JSON. */
  async aws<T>(words: string): Promise<T> {
    const said = await this.type(`aws ${words} --output json`, { cwd: this.dir });
    if (said.status !== 0) throw new Error(`aws ${words}: ${said.stderr}`);
    return said.stdout === '' ? (undefined as T) : JSON.parse(said.stdout);
  }

  /** `aws lambda invoke`; answers the payload, undefined where this machine cannot run it. */
  async invoke(functionName: string, event: unknown): Promise<unknown> {
    writeFileSync(join(this.dir, 'event.json'), JSON.stringify(event));
    await this.aws(
      `lambda invoke --function-name ${functionName} --payload fileb://event.json answer.json`,
    );
    const answer = readFileSync(join(this.dir, 'answer.json'), 'utf8');
    return answer === '' ? undefined : JSON.parse(answer);
  }

  private get outputsFile(): string {
    return join(this.dir, 'outputs.json');
  }
}
