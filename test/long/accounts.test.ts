import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout, NATIVE, type RawConfig, readTargets, targetsOf, valuesOf } from '../e2e/support';

const MINUTES = 60_000;
const CONFIG: RawConfig = JSON.parse(
  readFileSync(join(__dirname, '../../docs/examples/three-accounts.json'), 'utf8'),
);
const CANARY = '819450372268/us-east-1';

describe('three accounts, in regions with and without CodePipeline, with everything configured', () => {
  let checkout: Checkout;

  beforeAll(() => {
    checkout = Checkout.create();
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  test(
    'get one release, the canary first, each account by its own roles',
    async () => {
      const [runtime] = CONFIG.runtimes;
      const config = { ...CONFIG, runtimes: [{ ...runtime, architectures: [NATIVE] }] };
      const report = await checkout.releases('delivery.json', config);

      const places = targetsOf(config).map(({ account, region }) => `${account}/${region}`);
      expect(places).toHaveLength(8);
      expect(report.targets.map(({ account, region }) => `${account}/${region}`)).toEqual(places);
      for (const { published, smoke } of report.targets) {
        expect(published).toHaveLength(1);
        expect(smoke).toEqual([expect.objectContaining({ how: 'native', ok: true })]);
      }

      const { stages } = report.executions[0];
      expect(stages.slice(4).map(({ name }) => name)).toEqual([
        'staging-publish',
        'staging-release',
        'production-approval',
        'production-canary',
        'production-publish',
        'production-release',
      ]);
      const actionsOf = (stage: string) =>
        stages.find(({ name }) => name === stage)?.actions.map(({ name }) => name) ?? [];
      const [account, region] = CANARY.split('/');
      expect(actionsOf('production-canary')).toEqual([
        `publish-${account}-${region}`,
        'Smoke-production-canary',
      ]);
      expect(actionsOf('production-publish')).toContain('Publish-remote-production');
      expect(actionsOf('production-publish').join()).not.toContain(`${account}-${region}`);
      // Every CloudFormation action entered its account by that account's own role.
      for (const action of stages.flatMap(({ actions }) => actions)) {
        if (action.provider !== 'CloudFormation') continue;
        const [target] = /\d{12}-[a-z0-9-]+-\d/.exec(action.name) ?? [];
        expect(action.role).toContain(`cdk-hnb659fds-deploy-role-${target}`);
      }

      const [{ codeSha256 }] = report.layers;
      const latest = `/layers/node/${NATIVE}/latest`;
      for (const content of await readTargets(checkout, targetsOf(config))) {
        const arn = valuesOf(content)[latest];
        expect(arn).toMatch(
          new RegExp(`^arn:aws:lambda:${content.region}:${content.account}:layer:node-.*:1$`),
        );
        expect(content.layers).toEqual({
          [arn]: { codeSha256, sharedWith: ['arn:aws:iam::950173826649:root'] },
        });
      }
    },
    15 * MINUTES,
  );
});
