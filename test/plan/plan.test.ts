import { parseConfig } from '../../lib/config';
import { locate, planDelivery, planParameters, releasePlan } from '../../lib/plan';
import { fakeExamples, fakeLayer, fakeLayers, planOf, rawConfig } from '../pipeline/fixture';

describe('plan', () => {
  test('every target is named before anything is deployed', () => {
    const plan = planOf();
    expect(plan.waves.map(({ name, approval }) => [name, approval])).toEqual([
      ['pilot', false],
      ['production', true],
    ]);
    const [target] = plan.waves[0].targets;
    expect(target).toMatchObject({
      account: '888888888888',
      region: 'us-east-1',
      bucket: 'cdk-hnb659fds-assets-888888888888-us-east-1',
      publishRoleArn:
        'arn:aws:iam::888888888888:role/cdk-hnb659fds-file-publishing-role-888888888888-us-east-1',
      smokeRoleArn: 'arn:aws:iam::888888888888:role/layers-smoke-us-east-1',
    });
    expect(target.layers).toHaveLength(4);
    for (const layer of target.layers) {
      expect(layer.arn).toBe(`arn:aws:lambda:us-east-1:888888888888:layer:${layer.name}:1`);
      expect(layer.functionName).toBe(`layers-${layer.name}`);
    }
  });

  test('the ARN ends alike in every target, so versions cannot drift between regions', () => {
    const suffixes = planOf()
      .waves.flatMap(({ targets }) => targets)
      .map(({ layers }) => layers.map(({ arn }) => arn.split(':').slice(6).join(':')).join());
    expect(new Set(suffixes).size).toBe(1);
  });

  test('a paused target is left out with its reason, the others of the wave stay', () => {
    const raw = rawConfig();
    raw.waves[0].paused = [{ region: 'eu-west-1', reason: 'regional outage', since: '2026-11-01' }];
    const [pilot] = planOf(raw).waves;
    expect(pilot.targets.map(({ region }) => region)).toEqual(['us-east-1']);
    expect(pilot.paused).toEqual([
      {
        account: '888888888888',
        region: 'eu-west-1',
        reason: 'regional outage',
        since: '2026-11-01',
      },
    ]);
  });

  test('fails when every target is paused', () => {
    const raw = rawConfig();
    for (const wave of raw.waves) {
      wave.paused = wave.regions.map((region: string) => ({
        region,
        reason: 'moving house',
        since: '2026-11-01',
      }));
    }
    expect(() => planOf(raw)).toThrow(/no target that is not paused/);
  });

  test('fails on a name that makes function names too long', () => {
    const config = parseConfig({ ...rawConfig(), name: 'a-very-long-name-xyz' });
    const layer = fakeLayer('abcdefghijklmnop', '24.21.0', 'x86_64');
    expect(() => planDelivery(config, [layer], [])).toThrow(/shorten delivery\.name/);
  });

  test('the order of layers given does not matter', () => {
    const config = parseConfig(rawConfig());
    const layers = fakeLayers(config);
    const examples = fakeExamples(config);
    expect(planDelivery(config, [...layers].reverse(), examples)).toEqual(
      planDelivery(config, layers, examples),
    );
  });

  test('the release plan lists targets in the order of waves, without paused ones', () => {
    const plan = releasePlan(planOf());
    expect(plan.targets.map(({ wave, region }) => `${wave} ${region}`)).toEqual([
      'pilot us-east-1',
      'pilot eu-west-1',
      'production us-east-1',
      'production eu-west-1',
    ]);
  });
});

describe('parameters', () => {
  const layers = [
    fakeLayer('node', '24.20.0', 'arm64'),
    fakeLayer('node', '24.21.0', 'arm64'),
    fakeLayer('node', '22.23.3', 'arm64'),
  ];
  const byName = () =>
    new Map(
      planParameters(
        '/layers',
        locate({ account: '888888888888', region: 'eu-west-1' }),
        layers,
      ).map((entry) => [entry.name, entry]),
    );

  test('latest and major point at the newest version by number, whatever the order given', () => {
    const parameters = byName();
    const version = (name: string) => parameters.get(name)?.layer.version;
    expect(version('/layers/node/arm64/latest')).toBe('24.21.0');
    expect(version('/layers/node/arm64/24')).toBe('24.21.0');
    expect(version('/layers/node/arm64/22')).toBe('22.23.3');
    expect(version('/layers/node/arm64/24.20.0')).toBe('24.20.0');
    expect(parameters.size).toBe(1 + 2 + 3 + 3);
  });

  test('a record tells everything of its layer and stays below the standard tier', () => {
    const [layer] = layers;
    const record = byName().get(`/layers/node/arm64/releases/${layer.digest}`);
    expect(JSON.parse(record?.value ?? '')).toMatchObject({
      arn: `arn:aws:lambda:eu-west-1:888888888888:layer:${layer.name}:1`,
      version: '24.20.0',
      digest: layer.digest,
      codeSha256: layer.codeSha256,
      license: 'MIT',
    });
    expect(record?.value.length).toBeLessThan(4096);
  });
});
