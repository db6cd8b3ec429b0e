import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { partitionOf } from '../config';
import { LayersError } from '../errors';
import { clientConfig } from './client-config';
import { explain } from './explain';

/** What the AWS clients take as `credentials`. */
export type RoleCredentials = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}>;

export interface AssumeRoleProps {
  readonly roleArn: string;
  /** Ends up in CloudTrail and in the ARN of the session. */
  readonly sessionName: string;
  /** What to do where the role cannot be assumed. */
  readonly cure: string;
}

/** Renewed this long before the session ends, milliseconds. */
const RENEW_BEFORE_MS = 5 * 60_000;

/**
 * STS at the endpoint of one region, with the credentials of the environment.
 *
 * Give it the region that the caller's account surely has enabled (home): a session of any
 * regional endpoint is valid in every region, one of the global endpoint is not
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_region-endpoints.html).
 */
export function stsClient(region: string): STSClient {
  return new STSClient({ ...clientConfig(30_000), region });
}

/**
 * Account of the credentials of the environment.
 *
 * @throws LayersError as {@link explain} says, above all `NoCredentials` and `ExpiredCredentials`
 */
export async function callerAccount(sts: STSClient): Promise<string> {
  try {
    const { Account } = await sts.send(new GetCallerIdentityCommand({}));
    return Account as string;
  } catch (error) {
    throw explain(error, {
      action: 'sts:GetCallerIdentity',
      region: await sts.config.region(),
    });
  }
}

/**
 * One session of a role, kept until shortly before it ends.
 * A refusal is kept too: the same question would get the same answer.
 *
 * @throws LayersError (from the returned function) `RoleNotAssumable`, or as {@link explain} says
 */
export function roleCredentials(sts: STSClient, props: AssumeRoleProps): RoleCredentials {
  let session: ReturnType<RoleCredentials> | undefined;
  return async () => {
    const current = session;
    if (current && (await current).expiration.getTime() - Date.now() > RENEW_BEFORE_MS) {
      return current;
    }
    if (session === current) session = assumeRole(sts, props);
    return session as ReturnType<RoleCredentials>;
  };
}

/**
 * Settings of a client that acts for a person: with the credentials of the environment, or through
 * a role that these may assume.
 *
 * @param signInRegion where the role is assumed: the caller's account need not have `region` enabled
 */
export function personConfig(
  region: string,
  sessionName: string,
  roleArn?: string,
  signInRegion = ownRegion(region),
) {
  return {
    ...clientConfig(30_000),
    region,
    ...(roleArn && {
      credentials: roleCredentials(stsClient(signInRegion), {
        roleArn,
        sessionName,
        cure: "check the ARN, and that the role's trust names the caller",
      }),
    }),
  };
}

/** The caller's own region, where it is in the partition of a region that is asked. */
function ownRegion(asked: string): string {
  const own = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION;
  return own && partitionOf(own) === partitionOf(asked) ? own : asked;
}

async function assumeRole(sts: STSClient, { roleArn, sessionName, cure }: AssumeRoleProps) {
  try {
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }),
    );
    if (!Credentials) {
      throw new LayersError(
        'EndpointUnreachable',
        `sts:AssumeRole on ${roleArn} was answered without credentials; check the proxy and AWS_ENDPOINT_URL`,
      );
    }
    return {
      accessKeyId: Credentials.AccessKeyId as string,
      secretAccessKey: Credentials.SecretAccessKey as string,
      sessionToken: Credentials.SessionToken as string,
      expiration: Credentials.Expiration as Date,
    };
  } catch (error) {
    const reason = explain(error, {
      action: 'sts:AssumeRole',
      region: await sts.config.region(),
    });
    if (reason.code !== 'AccessDenied') throw reason;
    throw new LayersError(
      'RoleNotAssumable',
      `sts:AssumeRole on ${roleArn} is denied: ${(error as Error).message}; ${cure}`,
      { cause: error },
    );
  }
}
