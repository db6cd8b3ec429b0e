import { Checkout, readTargets, smallConfig } from '../e2e/support';

const MINUTES = 60_000;

describe('a pipeline whose pushes come from CodeCommit', () => {
  let checkout: Checkout;

  beforeAll(() => {
    checkout = Checkout.create();
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  test(
    'releases a commit, and the next one at its push',
    async () => {
      const [account, region, added] = ['222222222222', 'us-west-2', 'us-east-1'];
      const { source, ...rest } = smallConfig(['24.21.0']);
      const config = (wave: object) => ({
        ...rest,
        source: { branch: source.branch, repository: 'layers' },
        waves: [{ name: 'pilot', accounts: [account], ...wave }],
      });
      const first = checkout.write('first.json', config({ regions: [region] }));
      const paused = [{ region, reason: 'a test', since: '2026-11-22' }];
      const second = checkout.write('second.json', config({ regions: [region, added], paused }));
      const { code, report } = await checkout
        .start('--config', first, '--after', second, '--keep')
        .reported();
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });

      const [action] = report.executions[0].stages[0].actions;
      expect(action).toMatchObject({ name: 'Source', provider: 'CodeCommit', status: 'Succeeded' });
      expect(report.executions.length).toBeGreaterThan(1);
      expect(report.executions[0]).toMatchObject({
        status: 'Succeeded',
        trigger: 'CreatePipeline',
      });
      expect(report.executions.at(-1)?.status).toBe('Succeeded');
      const [content] = await readTargets(checkout, [{ account, region: added }]);
      expect(Object.keys(content.layers)).toHaveLength(1);
    },
    15 * MINUTES,
  );
});
