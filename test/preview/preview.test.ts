import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { locate, planParameters } from '../../lib/plan';
import { compareWithAws, preview } from '../../lib/preview';
import { describeChanges, describePreview } from '../../lib/preview/display';
import { planOf, rawConfig } from '../pipeline/fixture';
import { awsError, SESSION } from '../publish/fixture';

/** The pilot's European target is paused, production's is its canary. */
function raw() {
  const raw = rawConfig();
  raw.waves[0].paused = [{ region: 'eu-west-1', reason: 'regional outage', since: '2026-11-01' }];
  raw.waves[1].canary = { region: 'eu-west-1' };
  return raw;
}

describe('preview', () => {
  const plan = planOf(raw());

  test('names waves, steps, stages and paused targets with reason and day', () => {
    const shown = preview(plan);
    expect(shown.waves).toEqual([
      {
        name: 'pilot',
        approval: false,
        targets: ['888888888888/us-east-1'],
        steps: 1,
        paused: [
          {
            account: '888888888888',
            region: 'eu-west-1',
            reason: 'regional outage',
            since: '2026-11-01',
          },
        ],
      },
      {
        name: 'production',
        approval: true,
        targets: ['777777777777/us-east-1', '777777777777/eu-west-1'],
        canary: '777777777777/eu-west-1',
        steps: 2,
        paused: [],
      },
    ]);
    expect(shown.stages.map(({ name, actions }) => `${name} ${actions.length}`)).toContain(
      'production-canary 2',
    );
    expect(shown.seconds).toBeGreaterThan(
      shown.stages.reduce((sum, { seconds }) => sum + seconds, 0) - shown.stages.length,
    );
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
  });

  test('is readable: pause, canary, approval, layers that are not built', () => {
    const text = describePreview(preview(plan, [plan.layers[0].name]));
    expect(text).toContain(
      'paused  888888888888/eu-west-1 of wave pilot since 2026-11-01: regional outage',
    );
    expect(text).toContain(
      'wave    production: 2 targets in 2 steps, after an approval, 777777777777/eu-west-1 first',
    );
    expect(text).toContain('layer   deno 2.9.5 arm64: not built here');
    expect(text).toMatch(/expected \d+\.\d minutes when everything is new, approvals aside/);
  });

  test('says what is not known for sure of a region in use', () => {
    expect(preview(plan).unconfirmed).toEqual([]);
    const china = {
      ...rawConfig(),
      home: { account: '999999999999', region: 'cn-north-1' },
      source: { repository: 'runtime-layers' },
      waves: [{ name: 'one', accounts: ['888888888888'], regions: ['cn-north-1'] }],
    };
    expect(describePreview(preview(planOf(china)))).toContain(
      'unconfirmed in cn-north-1, try it first: CodePipeline, builds on Graviton',
    );
  });

  test('warns of a quota that is nearly full, with its cure', () => {
    const accounts = Array.from({ length: 75 }, (_, index) => String(700000000000 + index));
    const wide = planOf({
      ...rawConfig(),
      waves: [{ name: 'wide', accounts, regions: ['eu-west-1'] }],
    });
    expect(describePreview(preview(wide))).toMatch(
      /nearly full: delivery\.waves: \d+ bytes of an artifact replica's template .* AWS takes 51200; then give some/,
    );
  });
});

describe('against aws', () => {
  const ssm = mockClient(SSMClient);
  const sts = mockClient(STSClient);
  const plan = planOf(raw());
  const recordedIn = (region: string) =>
    planParameters('/layers', locate({ account: '888888888888', region }), plan.layers).map(
      ({ name, value }) => ({
        Name: name,
        Value: value,
      }),
    );

  beforeEach(() => {
    ssm.reset();
    sts.reset();
    sts.on(AssumeRoleCommand).resolves(SESSION);
    // A mocked client asks nobody for its credentials.
    ssm.on(GetParametersByPathCommand).callsFake(async (_input, client) => {
      await client().config.credentials();
      return { Parameters: [] };
    });
  });

  test('reads every target through its lookup role, paused ones too', async () => {
    const signedIn = new Set<string>();
    sts.on(AssumeRoleCommand).callsFake(async (_input, client) => {
      signedIn.add(await client().config.region());
      return SESSION;
    });
    const changes = await compareWithAws({ plan });
    // The home account need not have the regions of other accounts enabled.
    expect([...signedIn]).toEqual(['us-east-1']);
    expect(changes.map(({ account, region, paused }) => [account, region, paused])).toEqual([
      ['888888888888', 'us-east-1', false],
      ['888888888888', 'eu-west-1', true],
      ['777777777777', 'us-east-1', false],
      ['777777777777', 'eu-west-1', false],
    ]);
    const roles = sts.commandCalls(AssumeRoleCommand).map(({ args: [{ input }] }) => input.RoleArn);
    expect(roles).toContain(
      'arn:aws:iam::888888888888:role/cdk-hnb659fds-lookup-role-888888888888-eu-west-1',
    );
    expect(changes[0]).toMatchObject({ moved: [], dropped: [], unchanged: 0 });
    expect(changes[0].added).toHaveLength(16);
  });

  test('tells new, moved, dropped and unchanged parameters apart', async () => {
    ssm.on(GetParametersByPathCommand).callsFake(async (_input, client) => {
      const region = await client().config.region();
      if (region !== 'us-east-1') return { Parameters: [] };
      const [first, ...rest] = recordedIn(region);
      // One is missing, one points elsewhere, one is of an older configuration.
      return {
        Parameters: [
          ...rest.slice(1),
          { ...rest[0], Value: 'arn:older' },
          { Name: '/layers/deno/arm64/1.0.0', Value: first.Value },
        ],
      };
    });
    const [pilot] = await compareWithAws({ plan });
    const names = recordedIn('us-east-1').map(({ Name }) => Name);
    expect(pilot).toMatchObject({
      added: [names[0]],
      moved: [names[1]],
      dropped: ['/layers/deno/arm64/1.0.0'],
      unchanged: 14,
    });
    expect(describeChanges([pilot])).toContain(
      '888888888888/us-east-1: 1 new, 1 moved, 1 dropped, 14 unchanged\n  + /layers/',
    );
  });

  test('fails for one target with its message, and reads the others', async () => {
    sts
      .on(AssumeRoleCommand, {
        RoleArn: 'arn:aws:iam::777777777777:role/auditor',
      })
      .rejects(awsError('AccessDenied', 'not yours', 403));
    const changes = await compareWithAws({ plan, roleName: 'auditor' });
    expect(changes.map(({ problem }) => Boolean(problem))).toEqual([false, false, true, true]);
    expect(describeChanges(changes)).toContain(
      '777777777777/us-east-1: could not be read: sts:AssumeRole on arn:aws:iam::777777777777:role/auditor is denied: not yours',
    );
  });
});
