import { planOf, rawConfig } from './fixture';
import { expectTemplatesWithinLimits } from './template-limits';

jest.setTimeout(120_000);

const accounts = (count: number) =>
  Array.from({ length: count }, (_, index) => String(700000000000 + index));

test('a wave with a canary synthesizes within the limits, and about as estimated', () => {
  expectTemplatesWithinLimits(
    planOf({
      ...rawConfig(),
      waves: [
        {
          name: 'both',
          accounts: accounts(8),
          regions: ['us-east-1', 'ap-southeast-2'],
          approval: true,
          canary: { region: 'us-east-1' },
        },
      ],
    }),
  );
});

test('many layers in a target synthesize within the limits', () => {
  const versions = Array.from({ length: 22 }, (_, index) => `${index}.0.0`);
  expectTemplatesWithinLimits(
    planOf({
      ...rawConfig(),
      runtimes: [{ name: 'node', versions }],
      waves: [{ name: 'one', accounts: accounts(1), regions: ['ap-southeast-2'] }],
    }),
  );
});

test('notifications, alarms, a dashboard and a schedule synthesize within the limits', () => {
  expectTemplatesWithinLimits(
    planOf({
      ...rawConfig(),
      waves: [{ name: 'one', accounts: accounts(1), regions: ['ap-southeast-2'] }],
      notifications: { emails: ['ops@example.com'] },
      monitoring: { dashboard: true },
      schedule: 'rate(7 days)',
    }),
  );
});
