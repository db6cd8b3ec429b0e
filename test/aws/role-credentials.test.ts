import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { personConfig, roleCredentials, stsClient } from '../../lib/aws';
import { awsError, SESSION } from '../publish/fixture';

const sts = mockClient(STSClient);
const props = {
  roleArn: 'arn:aws:iam::111111111111:role/reader',
  sessionName: 'layers-test',
  cure: 'do this',
};
const session = (minutesLeft: number) => ({
  Credentials: { ...SESSION.Credentials, Expiration: new Date(Date.now() + minutesLeft * 60_000) },
});

beforeEach(() => sts.reset());

test('keeps a session, also for callers at the same time', async () => {
  sts.on(AssumeRoleCommand).resolves(session(60));
  const credentials = roleCredentials(stsClient('eu-west-1'), props);
  await Promise.all([credentials(), credentials()]);
  await credentials();
  expect(sts.calls()).toHaveLength(1);
});

test('renews a session shortly before it ends, once', async () => {
  sts.on(AssumeRoleCommand).resolvesOnce(session(4)).resolves(session(60));
  const credentials = roleCredentials(stsClient('eu-west-1'), props);
  await credentials();
  await Promise.all([credentials(), credentials()]);
  expect(sts.calls()).toHaveLength(2);
});

test('fails with the cure when the role is refused', async () => {
  sts.on(AssumeRoleCommand).rejects(awsError('AccessDenied', 'not authorized', 403));
  await expect(roleCredentials(stsClient('eu-west-1'), props)()).rejects.toMatchObject({
    code: 'RoleNotAssumable',
    message: `sts:AssumeRole on ${props.roleArn} is denied: not authorized; do this`,
  });
});

test('fails when what answers is not the service', async () => {
  sts.on(AssumeRoleCommand).resolves({});
  await expect(roleCredentials(stsClient('eu-west-1'), props)()).rejects.toMatchObject({
    code: 'EndpointUnreachable',
    message: `sts:AssumeRole on ${props.roleArn} was answered without credentials; check the proxy and AWS_ENDPOINT_URL`,
  });
});

test.each([
  ['eu-west-1', 'eu-west-1'],
  ['us-gov-west-1', 'af-south-1'],
  [undefined, 'af-south-1'],
])(
  'signs in at the region of the caller, where it is of the same partition: %s',
  async (own, at) => {
    const { AWS_REGION, AWS_DEFAULT_REGION, ...others } = process.env;
    const before = process.env;
    process.env = own ? { ...others, AWS_REGION: own } : others;
    try {
      sts.on(AssumeRoleCommand).callsFake(async (_input, client) => {
        expect(await client().config.region()).toBe(at);
        return session(60);
      });
      const { region, credentials } = personConfig('af-south-1', 'layers-test', props.roleArn);
      expect(region).toBe('af-south-1');
      await credentials?.();
      expect(sts.calls()).toHaveLength(1);
    } finally {
      process.env = before;
    }
  },
);
