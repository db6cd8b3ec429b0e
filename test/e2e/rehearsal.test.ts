import { existsSync } from 'node:fs';
import {
  Checkout,
  CONSUMER_ARN,
  mountsBelow,
  NATIVE,
  parseArnTable,
  parseExports,
  type ReportedOutcome,
  readManifest,
  readTargets,
  smallConfig,
  type TargetContent,
  targetsOf,
  tracesOf,
  valuesOf,
} from './support';

const MINUTES = 60_000;
const VERSION = '24.21.0';
const config = smallConfig([VERSION]);
const [pilot, production] = [targetsOf(config, 'pilot'), targetsOf(config, 'production')];

/** One commit against one kept cloud, again and again; each test goes on where the last one ended. */
describe('rehearsing a commit against a cloud that is kept', () => {
  let checkout: Checkout;
  let configFile: string;
  let refused: TargetContent[];
  let complete: TargetContent[];

  const rehearse = (...args: string[]): Promise<ReportedOutcome> =>
    checkout.start('--keep', '--config', configFile, ...args).reported();

  beforeAll(() => {
    checkout = Checkout.create();
    configFile = checkout.write('delivery.json', config);
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  test(
    'fails at a refused approval: the first wave stays released, the second is untouched',
    async () => {
      // Two faults on the way, which the retries of the stages get over.
      const faults = [
        'Publish-zips=killed:1',
        'AWS::Lambda::LayerVersion@222222222222/eu-west-1=error:1',
      ];
      const { code, report, stdout } = await rehearse(
        ...['--approve', 'none'],
        ...faults.flatMap((fault) => ['--fault', fault]),
      );
      expect({ code, result: report.result }).toEqual({ code: 1, result: 'failed' });
      expect(report.problems).toEqual([expect.stringContaining('Approve-production: rejected')]);
      expect(stdout).toContain('Approve-production: rejected');
      expect(report.faults).toEqual(faults.map((fault) => ({ fault, met: 1 })));
      const failed = report.executions.flatMap(({ stages }) =>
        stages.flatMap(({ actions }) => actions.filter(({ status }) => status === 'Failed')),
      );
      expect(failed.map(({ name, message }) => `${name}: ${message}`)).toEqual([
        'Publish-zips: action Publish-zips was killed: a fault that was asked for',
        expect.stringMatching(/^publish-222222222222-eu-west-1.*HandlerErrorCode: InternalFailure/),
        expect.stringContaining('Approve-production'),
      ]);

      refused = await readTargets(checkout, [...pilot, ...production]);
      const { name, digest } = readManifest(checkout, report.layers[0].name);
      for (const target of refused.slice(0, pilot.length)) {
        const arn = `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`;
        expect(valuesOf(target)).toMatchObject({ [`/layers/node/${NATIVE}/latest`]: arn });
        expect(target.parameters).toHaveProperty([`/layers/node/${NATIVE}/releases/${digest}`]);
        expect(target.layers[arn].sharedWith).toEqual([CONSUMER_ARN]);
      }
      expect(refused.slice(pilot.length)).toEqual(
        production.map((place) => ({ ...place, parameters: {}, layers: {} })),
      );
      expect(report.targets.map(({ published }) => published.length)).toEqual([1, 1, 0, 0]);
    },
    6 * MINUTES,
  );

  test(
    'releases what is missing, and prints exactly the ARNs that the AWS CLI reads',
    async () => {
      const { code, report, stdout } = await rehearse();
      expect({ code, result: report.result }).toEqual({ code: 0, result: 'succeeded' });

      complete = await readTargets(checkout, targetsOf(config));
      const { name, digest, codeSha256 } = readManifest(checkout, report.layers[0].name);
      for (const target of complete) {
        const arn = `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`;
        const prefix = `/layers/node/${NATIVE}`;
        const { [`${prefix}/releases/${digest}`]: record, ...pointers } = valuesOf(target);
        expect(pointers).toEqual({
          [`${prefix}/24`]: arn,
          [`${prefix}/${VERSION}`]: arn,
          [`${prefix}/latest`]: arn,
        });
        expect(JSON.parse(record)).toMatchObject({ arn, digest, codeSha256, version: VERSION });
        expect(target.layers).toEqual({ [arn]: { codeSha256, sharedWith: [CONSUMER_ARN] } });
      }

      expect(parseArnTable(stdout)).toEqual(
        complete.flatMap(({ account, region, ...target }) =>
          Object.entries(valuesOf({ account, region, ...target }))
            .filter(([parameter]) => !parameter.includes('/releases/'))
            .map(([parameter, arn]) => ({
              account,
              region,
              parameter: parameter.slice('/layers/'.length),
              arn,
            })),
        ),
      );
      expect(report.targets.map(({ parameters }) => parameters)).toEqual(complete.map(valuesOf));
      expect(report.layers).toEqual([expect.objectContaining({ name, digest, codeSha256 })]);
      expect(report.targets.map(({ published }) => published)).toEqual(
        complete.map(({ layers }, index) => (index < pilot.length ? [] : Object.keys(layers))),
      );
      // What the first rehearsal had released in the first wave is as it was.
      expect(complete.slice(0, pilot.length)).toEqual(refused.slice(0, pilot.length));
    },
    4 * MINUTES,
  );

  test(
    'publishes no layer version and changes no parameter for the same commit again',
    async () => {
      const { code, report, stdout } = await rehearse();
      expect({ code, result: report.result }).toEqual({ code: 0, result: 'succeeded' });
      expect(await readTargets(checkout, targetsOf(config))).toEqual(complete);
      for (const { published, changedParameters, smoke } of report.targets) {
        expect({ published, changedParameters }).toEqual({ published: [], changedParameters: [] });
        expect(smoke).toEqual([expect.objectContaining({ ok: true, how: 'native' })]);
      }
      expect(stdout).toContain('0 layer versions published, 0 parameters changed in 4 targets');
      expect(parseExports(stdout)).toMatchObject({
        AWS_ENDPOINT_URL: checkout.kept()?.endpoint,
        AWS_ENDPOINT_URL_CODEPIPELINE: checkout.kept()?.engineUrl,
        AWS_CA_BUNDLE: checkout.kept()?.caFile,
      });
    },
    4 * MINUTES,
  );

  test(
    'leaves no process, mount or temporary file behind once the kept cloud is stopped',
    async () => {
      // Otherwise the search below could not find anything at all.
      expect(tracesOf(checkout.temporary)).not.toEqual([]);
      expect(checkout.temporaryFiles()).not.toEqual([]);

      const { code, stdout } = await checkout.command('--stop').ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'local cloud stopped\n' });
      expect(tracesOf(checkout.temporary)).toEqual([]);
      expect(mountsBelow(checkout.dir)).toEqual([]);
      expect(checkout.temporaryFiles()).toEqual([]);
      expect(existsSync(checkout.keptFile)).toBe(false);
    },
    MINUTES,
  );
});
