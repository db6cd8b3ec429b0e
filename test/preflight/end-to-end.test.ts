import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { planParameters } from '../../lib/plan';
import { bundleTools } from '../../lib/publish/bundle-tools';
import type { ReleasePlan, ReleaseTarget } from '../../lib/release';
import { bootstrap, role, TestCloud } from '../publish/cloud';
import { HOME, OTHER, plan } from '../publish/fixture';

const release = plan([
  [HOME, 'eu-west-1'],
  [OTHER, 'eu-west-1'],
  [OTHER, 'us-east-1'],
]);
const [home, other, unprepared] = release.targets;
let cloud: TestCloud;
let tools: string;

/** CDK's lookup role and version parameter, as far as the preflight action uses them. */
const lookup = ({ lookupRoleArn }: ReleaseTarget, version: string) => ({
  LookupRole: role(lookupRoleArn.split('/')[1], HOME, [
    {
      Action: [
        'cloudformation:DescribeStacks',
        'cloudformation:ListStackResources',
        'lambda:GetAccountSettings',
        'lambda:ListLayerVersions',
        'ssm:DescribeParameters',
        'ssm:GetParameter',
      ],
      Resource: '*',
    },
  ]),
  Version: {
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: '/cdk-bootstrap/hnb659fds/version', Type: 'String', Value: version },
  },
});

jest.setTimeout(60_000);
beforeAll(async () => {
  cloud = await TestCloud.start();
  tools = join(cloud.dir, 'tools.cjs');
  await Promise.all([
    bundleTools(tools),
    ...[home, other].map((place) =>
      cloud.deploy(place.account, place.region, 'bootstrap', {
        ...bootstrap(place, HOME),
        ...lookup(place, place === home ? '28' : '4'),
      }),
    ),
  ]);
});
afterAll(() => cloud?.stop());

/** Runs the bundled tool, as the preflight action does. */
async function preflight(of: ReleasePlan) {
  const file = join(cloud.dir, 'release.json');
  await writeFile(file, JSON.stringify(of));
  return cloud.node(HOME, [tools, 'preflight', '--plan', file]);
}

test('passes a target that is bootstrapped', async () => {
  const { status, stdout } = await preflight({ ...release, targets: [home] });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `ready      ${HOME}/eu-west-1\n` });
});

test('fails with the problems of all targets in one message', async () => {
  const { status, stderr } = await preflight(release);
  expect(status).toBe(1);
  expect(stderr).toContain('error [PreflightFailed]: 2 of 3 targets are not ready');
  expect(stderr).toContain(`${OTHER}/eu-west-1: bootstrap version is 4, at least 8 is needed`);
  expect(stderr).toContain(
    `${OTHER}/us-east-1: sts:AssumeRole on ${unprepared.lookupRoleArn} is denied`,
  );
  expect(stderr).toContain(`npx cdk bootstrap aws://${OTHER}/us-east-1 --trust ${HOME}`);
});

test('names parameters that its stack and Parameter Store do not agree about', async () => {
  const [mine, lost, foreign] = planParameters('/layers', home, release.layers);
  const made = ({ name, value }: typeof mine) => ({
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: name, Type: 'String', Value: value },
  });
  await cloud.deploy(home.account, home.region, 'mine-release', {
    Mine: made(mine),
    Lost: made(lost),
  });
  const of = { ...release, releaseStack: 'mine-release', targets: [home] };
  expect(await preflight(of)).toMatchObject({ status: 0 });
  const ssm = new SSMClient(cloud.cloud.sdkConfig(home.account, home.region));
  await ssm.send(new DeleteParameterCommand({ Name: lost.name }));
  await ssm.send(new PutParameterCommand({ Name: foreign.name, Type: 'String', Value: 'x' }));
  const { status, stderr } = await preflight(of);
  expect({ status, said: stderr.trim().split('\n').slice(-2) }).toEqual({
    status: 1,
    said: [
      expect.stringContaining(
        `put-parameter --region eu-west-1 --type String --name ${lost.name} `,
      ),
      expect.stringContaining(`delete-parameter --region eu-west-1 --name ${foreign.name}`),
    ],
  });
});

test('names a release stack that was never made, and how to delete it', async () => {
  const taken = { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: 'x' } };
  const Name = '/cdk-bootstrap/hnb659fds/version';
  const deployed = cloud.deploy(home.account, home.region, 'layers-release', {
    Latest: { ...taken, Properties: { ...taken.Properties, Name } },
  });
  await expect(deployed).rejects.toThrow();
  const { status, stderr } = await preflight({ ...release, targets: [home] });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining(
      `${HOME}/eu-west-1: stack layers-release is ROLLBACK_COMPLETE, which no release can change; delete it: aws cloudformation delete-stack --stack-name layers-release --region eu-west-1`,
    ),
  });
});
