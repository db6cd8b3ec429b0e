import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { zipSync } from 'fflate';
import type { LocalCloud } from '../../../lib/rehearsal/cloud';
import type { InvokeHook, InvokeHookAnswer, PipelineHook } from '../../../lib/rehearsal/hooks';

export const ACCOUNT = '111111111111';
export const REGION = 'eu-west-1';

/** Serves the hooks: keeps what it was told, answers what the test says. */
export class FakeHooks {
  readonly pipelines: PipelineHook[] = [];
  readonly invocations: InvokeHook[] = [];
  refusePipelines = '';
  answer: (hook: InvokeHook) => InvokeHookAnswer = ({ event }) => ({ payload: event, log: '' });

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeHooks> {
    const server = createServer(async (request, response) => {
      const message = JSON.parse((await buffer(request)).toString());
      if (request.url === '/hooks/pipeline') {
        if (hooks.refusePipelines) return response.writeHead(422).end(hooks.refusePipelines);
        hooks.pipelines.push(message);
        return response.writeHead(204).end();
      }
      hooks.invocations.push(message);
      response.end(JSON.stringify(hooks.answer(message)));
    });
    const hooks = new FakeHooks(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hooks;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A zip with modes, as `layers build` writes them. */
export function zip(files: Record<string, { content: string; mode?: number }>): Buffer {
  const entries = Object.entries(files).map(([path, { content, mode = 0o644 }]) => [
    path,
    [Buffer.from(content), { os: 3, attrs: (0o100000 | mode) << 16 }],
  ]);
  return Buffer.from(zipSync(Object.fromEntries(entries)));
}

/** Stacks of one account and region, waited for. */
export class Stacks {
  private readonly client: CloudFormationClient;

  constructor(cloud: LocalCloud, account = ACCOUNT, region = REGION) {
    this.client = new CloudFormationClient(cloud.sdkConfig(account, region));
  }

  create(name: string, resources: object) {
    return this.apply(new CreateStackCommand(this.input(name, resources)), name);
  }

  update(name: string, resources: object) {
    return this.apply(new UpdateStackCommand(this.input(name, resources)), name);
  }

  async delete(name: string) {
    await this.client.send(new DeleteStackCommand({ StackName: name }));
    for (let tries = 0; tries < 300; tries++) {
      const gone = await this.status(name).catch(() => undefined);
      if (!gone || gone === 'DELETE_COMPLETE' || gone === 'DELETE_FAILED')
        return gone ?? 'DELETE_COMPLETE';
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${name} is not deleted`);
  }

  private input(name: string, resources: object) {
    const outputs = Object.fromEntries(
      Object.keys(resources).map((id) => [id, { Value: { Ref: id } }]),
    );
    const template = { Resources: resources, Outputs: outputs };
    return {
      StackName: name,
      TemplateBody: JSON.stringify(template),
      Capabilities: ['CAPABILITY_NAMED_IAM' as const],
    };
  }

  private async apply(command: CreateStackCommand | UpdateStackCommand, name: string) {
    await this.client.send(command as CreateStackCommand);
    for (let tries = 0; tries < 600; tries++) {
      const status = await this.status(name);
      if (status && !status.endsWith('_IN_PROGRESS')) {
        const { Stacks } = await this.client.send(new DescribeStacksCommand({ StackName: name }));
        const outputs = Stacks?.[0].Outputs ?? [];
        return {
          status,
          outputs: Object.fromEntries(outputs.map((o) => [o.OutputKey, o.OutputValue])),
          failures: await this.failures(name),
        };
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${name} does not come to rest`);
  }

  private async status(name: string) {
    const { Stacks } = await this.client.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.[0].StackStatus;
  }

  /** Reasons of the resources that failed. */
  private async failures(name: string): Promise<string> {
    const { StackEvents } = await this.client.send(
      new DescribeStackEventsCommand({ StackName: name }),
    );
    return (StackEvents ?? [])
      .filter((event) => event.ResourceStatus?.endsWith('_FAILED'))
      .map((event) => event.ResourceStatusReason)
      .join('\n');
  }
}

export interface CliResult {
  readonly status: number;
  readonly output: string;
}

/** The real AWS CLI; a failure is a result. */
export function aws(
  bin: string,
  env: Record<string, string>,
  ...args: string[]
): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      bin,
      args,
      { env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...env } },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, output: stdout + stderr });
      },
    );
  });
}

/** Waits until `check` holds; false when it does not within ten seconds. */
export async function eventually(check: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (check()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
