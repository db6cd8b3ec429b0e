import { REGIONS } from '../../lib/config';
import { expectedSeconds } from '../../lib/plan';
import { planOf, rawConfig } from '../pipeline/fixture';

const COMMERCIAL = [...REGIONS].filter(([, { partition }]) => partition === 'aws');
const ACCOUNTS = ['888888888888', '777777777777', '666666666666'];

/** One wave of every commercial region. */
function everywhere() {
  const regions = COMMERCIAL.map(([name]) => name);
  return planOf({
    ...rawConfig(),
    waves: [{ name: 'all', accounts: ACCOUNTS, regions, approval: true }],
  });
}

test('34 regions × 3 accounts with four layers take at most ten modelled minutes', () => {
  const plan = everywhere();
  expect(plan.layers).toHaveLength(4);
  expect(plan.waves[0].targets).toHaveLength(102);
  expect(expectedSeconds(plan)).toBeLessThanOrEqual(600);
});

test('targets in one step cost almost nothing, a further step costs a deployment', () => {
  const seconds = (regions: string[], wave = {}) =>
    expectedSeconds(
      planOf({
        ...rawConfig(),
        waves: [{ name: 'all', accounts: ['888888888888'], regions, ...wave }],
      }),
    );
  const regions = ['us-east-1', 'us-west-2', 'eu-west-1'];
  const one = seconds(regions.slice(0, 1));
  expect(seconds(regions)).toBeLessThan(one + 10);
  const canary = seconds(regions, { canary: { region: 'us-east-1' } });
  expect(canary).toBeGreaterThan(seconds(regions) + 50);
});

test('an approval costs no modelled time but the transition', () => {
  const raw = rawConfig();
  const approved = expectedSeconds(planOf(raw));
  raw.waves[1].approval = false;
  expect(approved - expectedSeconds(planOf(raw))).toBeCloseTo(2);
});
