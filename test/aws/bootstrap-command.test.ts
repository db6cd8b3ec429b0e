import { bootstrapCommand } from '../../lib/aws';

const command = (region: string, qualifier = 'hnb659fds') =>
  bootstrapCommand(
    {
      account: '222222222222',
      region,
      bucket: `cdk-${qualifier}-assets-222222222222-${region}`,
    },
    '111111111111',
  );

test.each([
  ['eu-west-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('the command that bootstraps %s has a policy of partition %s', (region, partition) => {
  expect(command(region)).toBe(
    `npx cdk bootstrap aws://222222222222/${region} --trust 111111111111 --cloudformation-execution-policies arn:${partition}:iam::aws:policy/AdministratorAccess`,
  );
});

test('a qualifier of its own has a toolkit stack of its own', () => {
  expect(command('eu-west-1', 'layers1')).toContain(
    '--qualifier layers1 --toolkit-stack-name CDKToolkit-layers1',
  );
});
