import { AssumeRoleCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { LayersError } from '../../errors';

/** Client configuration that every AWS SDK v3 client takes. */
export interface SdkConfig {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: STSClientConfig['credentials'];
  readonly requestHandler?: STSClientConfig['requestHandler'];
  readonly maxAttempts?: number;
}

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/**
 * Configuration of a client: with `credentials` as they are, without as the account's root user,
 * which the engine uses only to do what AWS's service principals do (see {@link RoleSessions}).
 */
export type SdkConfigFactory = (
  account: string,
  region: string,
  credentials?: SessionCredentials,
) => SdkConfig;

/** A role's session in one region: who makes an action's calls. */
export interface RoleSession {
  readonly roleArn: string;
  readonly credentials: SessionCredentials;
  /** Client configuration for any region, with the session's credentials. */
  config(region: string): SdkConfig;
}

/** Sessions are asked for anew this long before they end, in milliseconds. */
const RENEWAL_MARGIN = 10 * 60_000;

/**
 * Role sessions as AWS makes them. CodePipeline and CodeBuild assume the pipeline's role and the
 * project's role through their service principals; an account's root key stands in for these. From
 * there on every step is a session's own: the action role is assumed by the pipeline role, so that
 * a missing `sts:AssumeRole` or trust fails here as it would there.
 */
export class RoleSessions {
  private readonly cache = new Map<string, { session: RoleSession; expires: number }>();
  private readonly accounts = new Map<string, string>();

  constructor(private readonly sdkConfig: SdkConfigFactory) {}

  /** Becomes a role that trusts a service, which `lib/rehearsal/cloud` reads off the ExternalId. */
  assumeAsService(
    service: 'codebuild.amazonaws.com' | 'codepipeline.amazonaws.com',
    roleArn: string,
    region: string,
    sessionName: string,
  ): Promise<RoleSession> {
    const config = this.sdkConfig(accountOf(roleArn), region);
    return this.assume(config, service, roleArn, region, sessionName, service);
  }

  /** Becomes a role from another role's session, across accounts too. */
  assumeFrom(from: RoleSession, roleArn: string, region: string, sessionName: string) {
    return this.assume(from.config(region), from.roleArn, roleArn, region, sessionName);
  }

  /** Account of a session's access key, or undefined when this class did not issue it. */
  accountOfKey(accessKeyId: string): string | undefined {
    return this.accounts.get(accessKeyId);
  }

  private async assume(
    config: SdkConfig,
    by: string,
    roleArn: string,
    region: string,
    sessionName: string,
    ExternalId?: string,
  ): Promise<RoleSession> {
    const key = [by, roleArn, region, sessionName].join('|');
    const cached = this.cache.get(key);
    if (cached && cached.expires - RENEWAL_MARGIN > Date.now()) return cached.session;
    const client = new STSClient(config);
    const { Credentials } = await client.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: sessionName.slice(0, 64),
        ExternalId,
      }),
    );
    if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) {
      throw new LayersError('NoCredentials', `AssumeRole of ${roleArn} answered no credentials`);
    }
    const credentials = {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    };
    const account = accountOf(roleArn);
    this.accounts.set(credentials.accessKeyId, account);
    const session: RoleSession = {
      roleArn,
      credentials,
      config: (other) => this.sdkConfig(account, other, credentials),
    };
    this.cache.set(key, { session, expires: Credentials.Expiration?.getTime() ?? 0 });
    return session;
  }
}

/**
 * Account of a role's ARN.
 *
 * @throws LayersError InvalidRoleArn
 */
export function accountOf(roleArn: string): string {
  const account = /^arn:[^:]+:iam::(\d{12}):role\/.+$/.exec(roleArn)?.[1];
  if (!account) {
    throw new LayersError(
      'InvalidRoleArn',
      `"${roleArn}" is no role; give arn:<partition>:iam::<12 digits>:role/<name>`,
    );
  }
  return account;
}
