import { Template } from 'aws-cdk-lib/assertions';
import { REGIONS } from '../../lib/config';
import { estimateCost, planStages } from '../../lib/plan';
import { PRICES } from '../../lib/plan/cost';
import { planOf, rawConfig } from '../pipeline/fixture';
import { stackOf } from '../pipeline/rendered';

const ACCOUNTS = ['888888888888', '777777777777', '666666666666'];
const COMMERCIAL = [...REGIONS].filter(([, { partition }]) => partition === 'aws');

const planWith = (wave: object, rest = {}) =>
  planOf({
    ...rawConfig(),
    ...rest,
    waves: [{ name: 'all', accounts: ['888888888888'], regions: ['us-east-1'], ...wave }],
  });

test('an action costs at least a minute, an approval nothing', () => {
  const plan = planWith({});
  const actions = planStages(plan).flatMap((stage) => stage.actions).length;
  expect(estimateCost(plan).run.pipeline).toBeGreaterThanOrEqual(actions * PRICES.actionMinute);
  const approved = planWith({ approval: true });
  expect(estimateCost(approved).run).toEqual(estimateCost(plan).run);
});

test('a target in another region costs transfer and a key there, one in home neither', () => {
  const [home, account, region] = [
    planWith({}),
    planWith({ accounts: ACCOUNTS.slice(0, 2) }),
    planWith({ regions: ['us-east-1', 'eu-west-1'] }),
  ].map(estimateCost);
  expect(account.run.transfer).toBe(0);
  expect(account.month.keys).toBe(home.month.keys);
  // Four layers of 40 MB each.
  expect(region.run.transfer).toBeCloseTo(0.16 * PRICES.transferGigabyte);
  expect(region.month.keys).toBe(home.month.keys + PRICES.keyMonth);
  expect(region.month.storage).toBeCloseTo(2 * home.month.storage);
});

test('a region without CodePipeline has no key, and a deployment from home instead', () => {
  const plan = (region: string) => estimateCost(planWith({ regions: ['us-east-1', region] }));
  expect(plan('ca-west-1').month.keys).toBe(plan('eu-west-1').month.keys - PRICES.keyMonth);
  expect(plan('ca-west-1').run.builds).toBeGreaterThan(plan('eu-west-1').run.builds);
});

test('keys, alarms and dashboards are those of the templates', () => {
  const plan = planWith(
    { regions: ['us-east-1', 'eu-west-1', 'ca-west-1'] },
    { notifications: {}, monitoring: { dashboard: true } },
  );
  const { app, stack } = stackOf({ plan });
  const template = Template.fromStack(stack);
  const count = (type: string) => Object.keys(template.findResources(type)).length;
  const replicas = app.synth().stacks.filter(({ stackName }) => stackName.includes('-support-'));
  expect(estimateCost(plan).month.keys).toBe(count('AWS::KMS::Key') + replicas.length);
  expect(estimateCost(plan).month.monitoring).toBeCloseTo(
    count('AWS::CloudWatch::Alarm') * PRICES.alarmMonth +
      count('AWS::CloudWatch::Dashboard') * PRICES.dashboardMonth,
  );
});

test('totals are sums', () => {
  const { run, month } = estimateCost(
    planWith({ accounts: ACCOUNTS, regions: COMMERCIAL.map(([name]) => name) }),
  );
  expect(run.total).toBeCloseTo(run.pipeline + run.builds + run.transfer);
  expect(month.total).toBeCloseTo(month.keys + month.storage + month.monitoring);
});
