import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout, mountsBelow, type Outcome, shippedConfig, tracesOf } from './support';

const MINUTE = 60_000;

describe('bad input', () => {
  let checkout: Checkout;

  beforeAll(() => {
    checkout = Checkout.create({ layers: false });
  });

  afterAll(() => checkout?.dispose(), MINUTE);

  /** What a refused rehearsal says on stderr: exit code 1, and nothing started or written. */
  async function refusal(...args: string[]): Promise<string> {
    const before = filesOf(checkout);
    const { code, stdout, stderr }: Outcome = await checkout.command(...args).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(filesOf(checkout)).toEqual(before);
    expect(tracesOf(checkout.dir)).toEqual([]);
    expect(mountsBelow(checkout.dir)).toEqual([]);
    return stderr;
  }

  test(
    'fails with every configuration error in one message',
    async () => {
      const config = shippedConfig();
      const file = checkout.write('wrong.json', {
        ...config,
        home: { ...config.home, account: '12345' },
        runtimes: [{ name: 'node', versions: ['24'], architectures: ['aarch64'] }],
        waves: [{ ...config.waves[0], regions: ['eu-west-11'] }],
        colour: 'red',
      });
      const message = await refusal('--config', file);
      expect(message).toContain('error [InvalidConfiguration]: configuration has 5 problems:');
      for (const [field, value] of [
        ['delivery.home.account', '"12345"'],
        ['delivery.runtimes.0.versions.0', '"24"'],
        ['delivery.runtimes.0.architectures.0', '"aarch64"'],
        ['delivery.waves.0.regions.0', '"eu-west-11"'],
        ['delivery.colour', ''],
      ]) {
        expect(message).toContain(`- ${field}: ${value}`);
      }
    },
    MINUTE,
  );

  test(
    'fails on a wrong --after before anything of the first commit is done',
    async () => {
      const file = checkout.write('after.json', { ...shippedConfig(), namespace: 'layers' });
      expect(await refusal('--after', file)).toContain('- delivery.namespace: "layers"');
    },
    MINUTE,
  );

  test(
    'fails on a configuration of another partition, which the local cloud cannot have',
    async () => {
      const config = shippedConfig();
      const regions = ['us-gov-east-1', 'us-gov-west-1'];
      const file = checkout.write('gov.json', {
        ...config,
        source: { repository: 'lambda-runtime-layers' },
        home: { ...config.home, region: 'us-gov-west-1' },
        waves: config.waves.map((wave) => ({ ...wave, regions })),
      });
      expect(await refusal('--config', file)).toContain(
        'error [PartitionNotRehearsed]: delivery.home.region: "us-gov-west-1" is in partition aws-us-gov',
      );
    },
    MINUTE,
  );

  test(
    'fails on a configuration file that is missing, or no JSON',
    async () => {
      expect(await refusal('--config', 'missing.json')).toContain(
        'error [UnreadableConfiguration]: missing.json cannot be read',
      );
      const file = checkout.write('broken.json', '{ "waves": ');
      expect(await refusal('--config', file)).toContain('error [UnreadableConfiguration]');
    },
    MINUTE,
  );

  test(
    'fails on an unknown flag and on an unknown approver',
    async () => {
      expect(await refusal('--aprove', 'all')).toContain("unknown option '--aprove'");
      expect(await refusal('--approve', 'me')).toContain('Allowed choices are all, none, ask');
    },
    MINUTE,
  );

  test(
    'fails on a fault that is none, and on one that nothing can meet',
    async () => {
      expect(await refusal('--fault', 'Smoke-pilot=denied')).toContain(
        'error [InvalidFault]: --fault "Smoke-pilot=denied" has "denied", which no action',
      );
      expect(await refusal('--fault', 'Smoke-pilots=killed')).toContain(
        'error [InvalidFault]: --fault "Smoke-pilots=killed" names no action of the pipeline',
      );
    },
    MINUTE,
  );

  test(
    'writes a report that says what was wrong with the input',
    async () => {
      const file = checkout.write('empty.json', {});
      const { code, report } = await checkout.start('--config', file).reported();
      expect(code).toBe(1);
      expect(report).toMatchObject({ result: 'failed', executions: [], targets: [] });
      expect(report.problems.join('\n')).toContain('delivery.waves: is missing');
    },
    MINUTE,
  );

  test(
    'fails where there is no git commit',
    async () => {
      rmSync(join(checkout.root, '.git'), { recursive: true });
      expect(await refusal()).toContain('error [NoCommit]');
      checkout.git('init', '--quiet');
      expect(await refusal()).toContain('error [NoCommit]');
    },
    MINUTE,
  );
});

/** Files that a rehearsal could leave in the checkout or among the temporary ones. */
function filesOf(checkout: Checkout): string[] {
  return [...readdirSync(checkout.root), ...checkout.temporaryFiles()];
}
