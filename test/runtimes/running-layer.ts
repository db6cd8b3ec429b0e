import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { realLayer, writeFiles } from '../layers/fixtures';
import { temporaryFolder } from '../temporary-folder';
import { FakeRuntimeApi } from './fake-runtime-api';

/** Where the runtimes differ: how a handler file is called and written. */
export interface RuntimeDialect {
  readonly name: string;
  /** Folder with the `bootstrap` of a client that is not ours; else the layer is built. */
  readonly folder?: string;
  /** Brings a function's files into the form that a client wants which is not ours. */
  readonly adapt?: (files: Record<string, string>, handler: string) => Record<string, string>;
  /** Name of a module file with `export` syntax. */
  readonly file: string;
  /** Type of the error that the interpreter throws for a module that does not parse. */
  readonly parseError: string;
}

/** A Runtime API that a layer can be pointed to. */
export interface RuntimeApi {
  /** `host:port` */
  readonly address: string;
  stop(): void;
}

/** A layer's bootstrap at work for a function, as Lambda starts it. */
export class RunningLayer<Api extends RuntimeApi = FakeRuntimeApi> {
  private output = '';

  private constructor(
    readonly api: Api,
    private readonly child: ChildProcess,
    readonly exited: Promise<number | null>,
    private readonly ownGroup: boolean,
  ) {
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  /** @param files the function's code, `/var/task` on Lambda */
  static async start(
    layerFolder: string,
    files: Record<string, string>,
    handler: string,
  ): Promise<RunningLayer> {
    return RunningLayer.with(await FakeRuntimeApi.start(), layerFolder, files, handler);
  }

  static with<Api extends RuntimeApi>(
    api: Api,
    layerFolder: string,
    files: Record<string, string>,
    handler: string,
    environment: Record<string, string> = {},
    ownGroup = false,
  ): RunningLayer<Api> {
    const task = writeFiles(temporaryFolder(), files);
    const child = spawn(join(layerFolder, 'bootstrap'), [], {
      cwd: environment.LAMBDA_TASK_ROOT ?? task,
      detached: ownGroup,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'en_US.UTF-8',
        TZ: ':UTC',
        AWS_LAMBDA_RUNTIME_API: api.address,
        LAMBDA_TASK_ROOT: task,
        _HANDLER: handler,
        AWS_REGION: 'eu-west-1',
        AWS_LAMBDA_FUNCTION_NAME: 'f',
        AWS_LAMBDA_FUNCTION_VERSION: '7',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/f',
        AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
        // /tmp is the function's own on Lambda; here it is everybody's.
        DENO_DIR: join(task, '.deno'),
        ...environment,
      },
    });
    // Not 'exit': what the process wrote last may arrive after that.
    const exited = once(child, 'close').then(([code]) => code as number | null);
    return new RunningLayer(api, child, exited, ownGroup);
  }

  get log(): string {
    return this.output;
  }

  /** Waits for text in the log: a pipe may bring it later than the connection brings an answer. */
  async logged(text: string | RegExp): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (typeof text === 'string' ? this.output.includes(text) : text.test(this.output)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`the log has no ${text}:\n${this.output}`);
  }

  /** Sends the interpreter a signal, as Lambda does before it ends a function's environment. */
  signal(name: NodeJS.Signals): void {
    this.kill(name);
  }

  async stop(): Promise<void> {
    this.kill('SIGKILL');
    await this.exited;
    this.api.stop();
  }

  private kill(signal: NodeJS.Signals): void {
    if (!this.ownGroup) {
      this.child.kill(signal);
      return;
    }
    try {
      process.kill(-(this.child.pid as number), signal);
    } catch (error) {
      // All of them have ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * For the tests of a runtime: builds its layer before the first one, and ends after each one the
 * functions that it started.
 *
 * @param startApi starts the Runtime API of one test
 * @returns starts a function: the code of the dialect's module file, or several files by name
 */
export function layerStarter<Api extends RuntimeApi>(
  { name, file, folder, adapt }: RuntimeDialect,
  startApi: () => Promise<Api>,
) {
  let layer: string;
  let running: RunningLayer<Api>[] = [];

  beforeAll(async () => {
    layer = folder ?? (await realLayer(name)).folder;
  }, 120_000);
  afterEach(async () => {
    await Promise.all(running.map((started) => started.stop()));
    running = [];
  });

  return async (
    code: string | Record<string, string>,
    environment: Record<string, string> = {},
    handler = `${file.split('.')[0]}.handler`,
  ): Promise<RunningLayer<Api>> => {
    const files = typeof code === 'string' ? { [file]: code } : code;
    const adapted = adapt?.(files, handler) ?? files;
    // A bootstrap that is not ours may stay the interpreter's parent: signals go to all processes.
    const ownGroup = folder !== undefined;
    const api = await startApi();
    const started = RunningLayer.with(api, layer, adapted, handler, environment, ownGroup);
    running.push(started);
    return started;
  };
}
