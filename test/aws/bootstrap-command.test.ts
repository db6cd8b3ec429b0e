import { bootstrapCure, bootstrapUpdate } from '../../lib/aws';

const target = (region: string, qualifier = 'hnb659fds') => ({
  account: '222222222222',
  region,
  bucket: `cdk-${qualifier}-assets-222222222222-${region}`,
});
const cure = (region: string, home = '111111111111') => bootstrapCure(target(region), home);
const kept = 'leave --cloudformation-execution-policies out to keep its own)';

test.each([
  ['eu-west-1', 'aws'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['cn-north-1', 'aws-cn'],
])('the command that bootstraps %s has a policy of partition %s', (region, partition) => {
  expect(cure(region)).toMatch(
    `bootstrap the target: npx cdk bootstrap aws://222222222222/${region} --trust 111111111111 --cloudformation-execution-policies arn:${partition}:iam::aws:policy/AdministratorAccess (`,
  );
});

test('says what it would take away from a place that is bootstrapped already', () => {
  expect(cure('eu-west-1')).toContain(
    `(where it is bootstrapped already, repeat --trust for each account that it trusts, and ${kept}`,
  );
  expect(cure('eu-west-1', '222222222222')).toContain(`(where it is bootstrapped already, ${kept}`);
});

test('an update names neither trust nor policies: the CDK CLI keeps what it is not given', () => {
  expect(bootstrapUpdate(target('eu-west-1'))).toBe(
    'npx cdk bootstrap aws://222222222222/eu-west-1',
  );
});

test('a qualifier of its own has a toolkit stack of its own', () => {
  const named = '--qualifier layers1 --toolkit-stack-name CDKToolkit-layers1';
  expect(bootstrapUpdate(target('eu-west-1', 'layers1'))).toMatch(new RegExp(`${named}$`));
  expect(bootstrapCure(target('eu-west-1', 'layers1'), '111111111111')).toContain(named);
});
