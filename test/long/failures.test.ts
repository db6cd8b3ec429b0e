import { GetFunctionCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import type { ReportAction } from '../../lib/rehearsal/session/report';
import {
  aws,
  Checkout,
  CONSUMER_ARN,
  lambdaClient,
  NATIVE,
  type Place,
  type ReportedOutcome,
  readTargets,
  smallConfig,
  type TargetContent,
  targetsOf,
  valuesOf,
} from '../e2e/support';
import { wrongExample } from './wrong-example';

const MINUTES = 60_000;
const [OLD, NEW] = ['24.20.0', '24.21.0'];
const old = smallConfig([OLD]);
const both = smallConfig([OLD, NEW]);
const [pilot, production] = [targetsOf(old, 'pilot'), targetsOf(old, 'production')];
const LATEST = `/layers/node/${NATIVE}/latest`;

/** One kept cloud with an old release everywhere; a push of a new one then fails in several ways. */
describe('a release that fails in the second wave', () => {
  let checkout: Checkout;
  let released: TargetContent[];
  let oldLayer: string;
  let restore: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    checkout = Checkout.create();
    const { code, report } = await rehearse(old);
    expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });
    released = await readTargets(checkout, [...pilot, ...production]);
    oldLayer = report.layers[0].name;
  }, 6 * MINUTES);

  /** Also after a test that failed, so that the next one starts from where it should. */
  afterEach(async () => {
    await restore?.();
    restore = undefined;
  }, MINUTES);

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  function rehearse(config: object, ...args: string[]): Promise<ReportedOutcome> {
    const file = checkout.write('delivery.json', config);
    return checkout.start('--keep', '--config', file, ...args).reported();
  }

  /** The first wave has the new release, and nothing of the second has moved or been granted. */
  async function expectFirstWaveOnly({ report }: ReportedOutcome): Promise<TargetContent[]> {
    const contents = await readTargets(checkout, [...pilot, ...production]);
    const { name } = report.layers.find(({ version }) => version === NEW) as { name: string };
    contents.forEach((target, index) => {
      const arn = `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`;
      if (index < pilot.length) {
        expect(valuesOf(target)[LATEST]).toBe(arn);
        expect(target.layers[arn].sharedWith).toEqual([CONSUMER_ARN]);
      } else {
        expect(target.parameters).toEqual(released[index].parameters);
        expect(target.layers).toMatchObject(released[index].layers);
        // Published and private at most.
        expect(target.layers[arn]?.sharedWith ?? []).toEqual([]);
      }
    });
    expect(report.targets.slice(pilot.length).map((target) => target.changedParameters)).toEqual(
      production.map(() => []),
    );
    return contents;
  }

  test(
    'fails at a refused approval, before a layer version of the second wave is published',
    async () => {
      const outcome = await rehearse(both, '--approve', 'none');
      expect(outcome.code).toBe(1);
      expect(outcome.report.problems.join()).toContain('Approve-production: rejected');
      const contents = await expectFirstWaveOnly(outcome);
      expect(contents.slice(pilot.length)).toEqual(released.slice(pilot.length));
    },
    6 * MINUTES,
  );

  test(
    'fails at an example that answers wrongly in one region of the wave',
    async () => {
      const broken = production[1];
      const functionName = `layers-${oldLayer}`;
      restore = await replaceCode(checkout, broken, functionName);

      const outcome = await rehearse(both);
      const { code, report, stdout } = outcome;
      expect({ code, result: report.result }).toEqual({ code: 1, result: 'failed' });
      expect(report.problems.join()).toContain('Smoke-production');
      await expectFirstWaveOnly(outcome);

      const smoke = report.targets.flatMap(({ account, region, smoke: checks }) =>
        checks.map((check) => ({ account, region, ...check })),
      );
      expect(smoke.filter(({ ok }) => !ok)).toEqual([
        expect.objectContaining({
          ...broken,
          layer: oldLayer,
          message: `function ${functionName} answered "0.0.0" as "version", expected "${OLD}"`,
        }),
      ]);
      expect(smoke).toHaveLength(2 * (pilot.length + production.length));
      expect(stdout).toContain(`${broken.account}/${broken.region} ${oldLayer}: function`);
      expect(actionsOf(outcome).map(({ name }) => name)).not.toContainEqual(
        expect.stringContaining('release-333333333333'),
      );
    },
    8 * MINUTES,
  );

  test(
    'fails with AccessDenied where the smoke role lacks a permission',
    async () => {
      const place = production[0];
      const role = `layers-smoke-${place.region}`;
      restore = await withoutPermission(checkout, place, role, 'lambda:InvokeFunction');

      const outcome = await rehearse(both);
      const { code, report, stdout } = outcome;
      expect({ code, result: report.result }).toEqual({ code: 1, result: 'failed' });
      await expectFirstWaveOnly(outcome);

      const refused = report.targets.flatMap(({ account, region, smoke }) =>
        smoke.filter(({ ok }) => !ok).map(({ message }) => ({ account, region, message })),
      );
      // Both layers of that target, and nothing of any other.
      expect(refused).toEqual([0, 1].map(() => expect.objectContaining(place)));
      for (const { message } of refused) {
        expect(message).toContain('AccessDenied');
        expect(message).toContain('lambda:InvokeFunction');
        expect(message).toContain(`assumed-role/${role}/`);
      }
      expect(stdout).toMatch(/AccessDenied.*lambda:InvokeFunction/);
    },
    6 * MINUTES,
  );

  test(
    'succeeds once nothing is wrong any more, and releases to the second wave',
    async () => {
      const { code, report } = await rehearse(both);
      expect({ code, problems: report.problems }).toEqual({ code: 0, problems: [] });
      const { name } = report.layers.find(({ version }) => version === NEW) as { name: string };
      for (const target of await readTargets(checkout, [...pilot, ...production])) {
        const arn = `arn:aws:lambda:${target.region}:${target.account}:layer:${name}:1`;
        expect(valuesOf(target)[LATEST]).toBe(arn);
        expect(target.layers[arn].sharedWith).toEqual([CONSUMER_ARN]);
        expect(Object.keys(target.layers)).toHaveLength(2);
      }
    },
    6 * MINUTES,
  );
});

function actionsOf({ report }: ReportedOutcome): ReportAction[] {
  return report.executions.flatMap(({ stages }) => stages.flatMap(({ actions }) => actions));
}

/** Gives one example function code that names another version; answers how to undo it. */
async function replaceCode(
  checkout: Checkout,
  place: Place,
  FunctionName: string,
): Promise<() => Promise<void>> {
  const client = lambdaClient(checkout, place);
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
  const { right, wrong } = await wrongExample(checkout, Configuration?.Handler ?? '');
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: wrong }));
  return async () => {
    await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: right }));
    client.destroy();
  };
}

interface PolicyDocument {
  readonly Statement: { readonly Action: string | string[] }[];
}

/** Takes one action out of a role's inline policies; answers how to undo it. */
async function withoutPermission(
  checkout: Checkout,
  place: Place,
  role: string,
  action: string,
): Promise<() => Promise<void>> {
  const named = (policy: string) => ['--role-name', role, '--policy-name', policy];
  const { PolicyDocument: document } = await aws<{ PolicyDocument: PolicyDocument }>(
    checkout,
    place,
    'iam',
    'get-role-policy',
    ...named('Smoke'),
  );
  const put = async (content: PolicyDocument) => {
    const text = JSON.stringify(content);
    await aws(
      checkout,
      place,
      'iam',
      'put-role-policy',
      ...named('Smoke'),
      '--policy-document',
      text,
    );
  };
  const Statement = document.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action].flat().filter((name) => name !== action),
  }));
  expect(Statement).not.toEqual(document.Statement);
  await put({ ...document, Statement });
  return () => put(document);
}
