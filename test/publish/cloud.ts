import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { LocalCloud } from '../../lib/rehearsal/cloud';
import {
  INVOKE_HOOK_PATH,
  type InvokeHook,
  type InvokeHookAnswer,
} from '../../lib/rehearsal/hooks';
import { ensureTools } from '../../lib/rehearsal/tools';

/** How a child process ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An emulated AWS with IAM enforced, in which the test answers for the functions. */
export class TestCloud {
  /** Replaced by a test: what a function answers. */
  answer: (invocation: InvokeHook) => InvokeHookAnswer = () => {
    throw new Error('no function should have been invoked');
  };

  private constructor(
    readonly cloud: LocalCloud,
    /** Removed at the end. */
    readonly dir: string,
    private readonly hooks: ReturnType<typeof createServer>,
  ) {}

  static async start(): Promise<TestCloud> {
    const tools = await ensureTools();
    const dir = await mkdtemp(join(tmpdir(), 'layers-cloud-test-'));
    let self: TestCloud;
    const hooks = createServer(async (request, response) => {
      try {
        if (request.url !== INVOKE_HOOK_PATH) throw new Error(`no hook at ${request.url}`);
        response.end(JSON.stringify(self.answer((await json(request)) as InvokeHook)));
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    }).listen(0, '127.0.0.1');
    await once(hooks, 'listening');
    const hooksUrl = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`;
    try {
      const cloud = await LocalCloud.start({ tools, stateDir: join(dir, 'cloud'), hooksUrl });
      self = new TestCloud(cloud, dir, hooks);
      return self;
    } catch (error) {
      hooks.close();
      await rm(dir, { recursive: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.cloud.stop();
    this.hooks.closeAllConnections();
    await new Promise((resolve) => this.hooks.close(resolve));
    await rm(this.dir, { recursive: true });
  }

  /** Creates a stack as the account's root, and waits for it. */
  async deploy(account: string, region: string, name: string, resources: object): Promise<void> {
    const client = new CloudFormationClient(this.cloud.sdkConfig(account, region));
    await client.send(
      new CreateStackCommand({
        StackName: name,
        TemplateBody: JSON.stringify({ Resources: resources }),
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      }),
    );
    await waitUntilStackCreateComplete(
      { client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { StackName: name },
    );
    client.destroy();
  }

  /** Runs a script with Node as the root of an account, with nothing else of this environment. */
  node(account: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const { PATH, HOME } = process.env;
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        args,
        { env: { PATH, HOME, ...this.cloud.environment(account, 'eu-west-1'), ...env } },
        (error, stdout, stderr) => {
          resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr });
        },
      );
    });
  }
}

/** A role that all of an account may assume. */
export function role(name: string, trustedAccount: string, statements: readonly object[]) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: name,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { AWS: `arn:aws:iam::${trustedAccount}:root` },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'Policy',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
          },
        },
      ],
    },
  };
}

/** What CDK's bootstrap makes of a target, as far as the publish action uses it. */
export function bootstrap(
  { bucket, publishRoleArn }: { bucket: string; publishRoleArn: string },
  trustedAccount: string,
) {
  const arn = `arn:aws:s3:::${bucket}`;
  return {
    PublishRole: role(publishRoleArn.split('/')[1], trustedAccount, [
      { Action: ['s3:GetObject*', 's3:List*', 's3:PutObject*'], Resource: [arn, `${arn}/*`] },
    ]),
    Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: bucket } },
  };
}
