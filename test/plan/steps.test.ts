import { planStages } from '../../lib/plan';
import { remoteDeployments } from '../../lib/plan/steps';
import { planOf, rawConfig } from '../pipeline/fixture';

const accounts = (count: number) =>
  Array.from({ length: count }, (_, index) => String(700000000000 + index));

/** One wave of `count` targets. */
function planOfWidth(count: number, wave: object = {}) {
  return planOf({
    ...rawConfig(),
    waves: [{ name: 'all', accounts: accounts(count), regions: ['eu-west-1'], ...wave }],
  });
}

/** Stage names with the number of actions of each kind. */
const layoutOf = (plan: ReturnType<typeof planOf>) =>
  planStages(plan)
    .slice(4)
    .map(({ name, actions }) => {
      const kinds = [...new Set(actions.map(({ kind }) => kind))];
      const counts = kinds.map((kind) => {
        const count = actions.filter((action) => action.kind === kind).length;
        return `${count} ${kind}`;
      });
      return `${name}: ${counts.join(', ')}`;
    });

describe('a wave', () => {
  test('that fits into one stage is one step, whose stages have no number', () => {
    expect(layoutOf(planOfWidth(44))).toEqual([
      'all-publish: 44 publish, 1 smoke',
      'all-release: 44 release',
    ]);
  });

  test('that is wider is cut into steps of about the same width', () => {
    expect(layoutOf(planOfWidth(45))).toEqual([
      'all-publish-1: 23 publish',
      'all-publish-2: 22 publish, 1 smoke',
      'all-release-1: 23 release',
      'all-release-2: 22 release',
    ]);
  });

  const remote = ['ca-west-1', 'mx-central-1'];

  test('deploys to all regions without CodePipeline by one action, beside the others', () => {
    expect(layoutOf(planOfWidth(1, { regions: ['eu-west-1', ...remote] }))).toEqual([
      'all-publish: 1 publish, 1 remote-publish, 1 smoke',
      'all-release: 1 release, 1 remote-release',
    ]);
    expect(layoutOf(planOfWidth(1, { regions: remote }))).toEqual([
      'all-publish: 1 remote-publish, 1 smoke',
      'all-release: 1 remote-release',
    ]);
  });

  test('keeps room for that action', () => {
    expect(layoutOf(planOfWidth(22, { regions: ['eu-west-1', 'eu-west-2', 'ca-west-1'] }))).toEqual(
      [
        'all-publish-1: 22 publish',
        'all-publish-2: 22 publish, 1 remote-publish, 1 smoke',
        'all-release-1: 22 release',
        'all-release-2: 22 release, 1 remote-release',
      ],
    );
  });

  test('may have a canary in a region without CodePipeline', () => {
    const wave = { regions: ['eu-west-1', ...remote], canary: { region: 'ca-west-1' } };
    expect(layoutOf(planOfWidth(1, wave))).toEqual([
      'all-canary: 1 remote-publish, 1 smoke',
      'all-publish: 1 publish, 1 remote-publish, 1 smoke',
      'all-release: 1 release, 1 remote-release',
    ]);
  });

  test("may have the name of another wave's canary stage: remote deployments share no name", () => {
    const raw = rawConfig();
    raw.waves[0].regions = ['eu-west-1', ...remote];
    raw.waves[0].canary = { region: 'ca-west-1' };
    raw.waves[1].name = `${raw.waves[0].name}-canary`;
    raw.waves[1].regions = remote;
    const names = planOf(raw).waves.flatMap(({ steps }) =>
      remoteDeployments([...(steps?.publish ?? []), ...(steps?.release ?? [])]).map(
        ({ action }) => action,
      ),
    );
    expect(names).toHaveLength(5);
    expect(new Set(names).size).toBe(5);
  });

  test('asks for approval in a stage of its own, so that a retry does not ask again', () => {
    expect(layoutOf(planOfWidth(2, { approval: true }))).toEqual([
      'all-approval: 1 approval',
      'all-publish: 2 publish, 1 smoke',
      'all-release: 2 release',
    ]);
  });

  test('with a canary publishes and tests that target before any other', () => {
    const plan = planOfWidth(3, { canary: { account: accounts(3)[1], region: 'eu-west-1' } });
    expect(layoutOf(plan)).toEqual([
      'all-canary: 1 publish, 1 smoke',
      'all-publish: 2 publish, 1 smoke',
      'all-release: 3 release',
    ]);
    const [canary, rest] = plan.waves[0].steps?.publish ?? [];
    expect(canary.targets.map(({ account }) => account)).toEqual([accounts(3)[1]]);
    expect(canary.smoke?.only).toBe(canary.targets[0]);
    expect(rest.targets).not.toContain(canary.targets[0]);
    expect(rest.smoke?.only).toBeUndefined();
  });

  test('whose only target is the canary needs no step of its own for it', () => {
    expect(layoutOf(planOfWidth(1, { canary: { region: 'eu-west-1' } }))).toEqual([
      'all-publish: 1 publish, 1 smoke',
      'all-release: 1 release',
    ]);
  });

  test('whose targets are all paused has no stage', () => {
    const raw = rawConfig();
    raw.waves[0].paused = raw.waves[0].regions.map((region: string) => ({
      region,
      reason: 'moving house',
      since: '2026-11-01',
    }));
    expect(layoutOf(planOf(raw)).join()).not.toContain('pilot');
  });
});
