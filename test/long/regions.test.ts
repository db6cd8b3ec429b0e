import { partitionOf, REGIONS } from '../../lib/config';
import {
  Checkout,
  NATIVE,
  type RawConfig,
  readTargets,
  smallConfig,
  targetsOf,
  valuesOf,
} from '../e2e/support';

const MINUTES = 60_000;
const VERSION = '24.21.0';
const PAUSED = 'me-south-1';
const CANARY = 'ca-west-1';
const regions = [...REGIONS.keys()].filter((region) => partitionOf(region) === 'aws');

/** Every commercial region as one wave: one of them goes first, one is paused. */
function everywhere(): RawConfig {
  const [pilot] = smallConfig([VERSION]).waves;
  return {
    ...smallConfig([VERSION]),
    waves: [
      {
        ...pilot,
        name: 'world',
        regions,
        canary: { region: CANARY },
        paused: [{ region: PAUSED, reason: 'quota raise pending', since: '2026-11-01' }],
      },
    ],
  };
}

describe('every commercial region', () => {
  let checkout: Checkout;

  beforeAll(() => {
    checkout = Checkout.create();
  });

  afterAll(() => checkout?.dispose(), 2 * MINUTES);

  test(
    'gets the release in one rehearsal, with and without CodePipeline, but for the paused one',
    async () => {
      expect(regions).toHaveLength(34);
      const report = await checkout.releases('delivery.json', everywhere());
      const paused = report.targets.filter((target) => target.paused);
      expect(paused.map(({ region }) => region)).toEqual([PAUSED]);

      const name = `/layers/node/${NATIVE}/latest`;
      const contents = await readTargets(checkout, targetsOf(everywhere()));
      const latest = contents.flatMap((content) => {
        const arn = valuesOf(content)[name];
        return arn === undefined ? [] : [{ region: content.region, arn, layers: content.layers }];
      });
      expect(latest.map(({ region }) => region).sort()).toEqual(
        regions.filter((region) => region !== PAUSED).sort(),
      );
      const suffixes = latest.map(({ region, arn }) => arn.replace(`:${region}:`, ':<region>:'));
      expect(new Set(suffixes).size).toBe(1);
      const [{ codeSha256 }] = report.layers;
      for (const { arn, layers } of latest) {
        expect(layers[arn]).toEqual({ codeSha256, sharedWith: ['arn:aws:iam::444444444444:root'] });
      }

      const stages = report.executions.at(-1)?.stages.map((stage) => stage.name) ?? [];
      expect(stages.slice(4)).toEqual(['world-canary', 'world-publish', 'world-release']);
    },
    15 * MINUTES,
  );

  test(
    'the paused one catches up when it is resumed, and nothing else is published',
    async () => {
      const config = everywhere();
      const [world] = config.waves;
      const resumed = { ...config, waves: [{ ...world, paused: [] }] };
      const report = await checkout.releases('resumed.json', resumed);
      const changed = report.targets.filter(({ published }) => published.length > 0);
      expect(changed.map(({ region }) => region)).toEqual([PAUSED]);
      expect(
        report.targets.flatMap(({ region, changedParameters }) =>
          changedParameters.length > 0 ? [region] : [],
        ),
      ).toEqual([PAUSED]);
    },
    15 * MINUTES,
  );
});
