import fc from 'fast-check';
import { REGIONS } from '../../lib/config';
import { planOf, rawConfig } from '../pipeline/fixture';
import { expectTemplatesWithinLimits } from '../pipeline/template-limits';
import { configurations } from '../plan/configurations';
import { checkConfigurations, checkWrongValues, planOrRefusal } from '../plan/properties';

const MINUTES = 60_000;

/** How many generated plans are synthesized, and how wide they may be. */
const SAMPLE = { plans: 12, targets: 60 };

test(
  '10,000 configurations are planned within every quota, or refused with field, value and cure',
  () => {
    const { planned, refused } = checkConfigurations(10_000);
    expect(Math.min(planned, refused)).toBeGreaterThan(1000);
    checkWrongValues(2000);
  },
  15 * MINUTES,
);

test(
  'a sample of them synthesizes within the limits of CloudFormation and IAM',
  () => {
    const plans = fc
      .sample(configurations, 500)
      .map(planOrRefusal)
      .filter((plan) => typeof plan !== 'string')
      .filter(({ waves }) => waves.flatMap(({ targets }) => targets).length <= SAMPLE.targets)
      .slice(0, SAMPLE.plans);
    expect(plans).toHaveLength(SAMPLE.plans);
    for (const plan of plans) expectTemplatesWithinLimits(plan);
  },
  15 * MINUTES,
);

test(
  'the widest plans that are not refused synthesize within the limits',
  () => {
    const accounts = (count: number) =>
      Array.from({ length: count }, (_, index) => String(700000000000 + index));
    const commercial = [...REGIONS].filter(([, { partition }]) => partition === 'aws');
    const named = (has: boolean) =>
      commercial.filter(([, { codePipeline }]) => codePipeline === has).map(([name]) => name);
    const regions = named(true);
    for (const wave of [
      { name: 'regions', accounts: accounts(9), regions },
      { name: 'home', accounts: accounts(141), regions: ['us-east-1'] },
      { name: 'remote', accounts: accounts(7), regions: named(false) },
      { name: 'elsewhere', accounts: accounts(77), regions: ['ap-southeast-2'] },
    ]) {
      expectTemplatesWithinLimits(planOf({ ...rawConfig(), waves: [wave] }));
    }
  },
  20 * MINUTES,
);
