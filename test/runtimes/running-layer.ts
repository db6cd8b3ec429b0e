import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { temporaryFolder, writeFiles } from '../layers/fixtures';
import { FakeRuntimeApi } from './fake-runtime-api';

/** A layer's bootstrap at work for a function, as Lambda starts it. */
export class RunningLayer {
  private output = '';

  private constructor(
    readonly api: FakeRuntimeApi,
    private readonly child: ChildProcess,
    readonly exited: Promise<number | null>,
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
    const api = await FakeRuntimeApi.start();
    const task = writeFiles(temporaryFolder(), files);
    const child = spawn(join(layerFolder, 'bootstrap'), [], {
      cwd: task,
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
      },
    });
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    return new RunningLayer(api, child, exited);
  }

  get log(): string {
    return this.output;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
    this.api.stop();
  }
}
