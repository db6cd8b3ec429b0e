import fc from 'fast-check';
import { REGIONS } from '../../lib/config';
import { rawConfig } from '../pipeline/fixture';

/** Regions of the home region's partition that a target may be in. */
const TARGET_REGIONS = [...REGIONS]
  .filter(([, { partition }]) => partition === 'aws')
  .map(([name]) => name);

const account = (index: number) => String(700000000000 + index);

/** Mostly few, sometimes many: what bursts a quota must come up as well. */
const count = (few: number, many: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: few }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: many }) },
  );

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,19}$/);

/** Accounts are given out in turn, so that no target stands in two waves. */
const wave = fc.record({
  name,
  accounts: count(4, 100),
  regions: fc.shuffledSubarray(TARGET_REGIONS, { minLength: 1 }),
  approval: fc.boolean(),
  canary: fc.option(fc.nat()),
  paused: fc.array(fc.record({ place: fc.nat(), everywhere: fc.boolean() }), { maxLength: 3 }),
});

const sharing = fc.oneof(
  fc.constant({ with: 'private' }),
  fc.constant({ with: 'public' }),
  fc.constant({ with: 'organization', organizationId: 'o-a1b2c3d4e5' }),
  count(5, 100).map((accounts) => ({
    with: 'accounts',
    accounts: Array.from({ length: accounts }, (_, index) => account(500_000 + index)),
  })),
);

const runtimes = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/),
    versions: count(3, 40).map((versions) =>
      Array.from({ length: versions }, (_, index) => `${1 + (index % 7)}.${index}.0`),
    ),
    architectures: fc.shuffledSubarray(['arm64', 'x86_64'], { minLength: 1 }),
  }),
  { minLength: 1, maxLength: 3, selector: (runtime) => runtime.name },
);

/** The value of `context.delivery`, of the right shape; whether AWS could hold it is another matter. */
export const configurations = fc
  .record({
    name,
    runtimes,
    sharing,
    waves: count(4, 25).chain((length) =>
      fc.uniqueArray(wave, {
        minLength: 1,
        maxLength: length,
        selector: (entry) => entry.name,
      }),
    ),
  })
  .map(({ waves, ...rest }) => {
    let given = 0;
    return {
      ...rawConfig(),
      ...rest,
      waves: waves.map((entry) => {
        const accounts = Array.from({ length: entry.accounts }, () => account(given++));
        const places = accounts.flatMap((id) =>
          entry.regions.map((region) => ({ account: id, region })),
        );
        const at = (index: number) => places[index % places.length];
        return {
          name: entry.name,
          accounts,
          regions: entry.regions,
          approval: entry.approval,
          ...(entry.canary === null ? {} : { canary: at(entry.canary) }),
          paused: entry.paused.map(({ place, everywhere }) => ({
            ...(everywhere ? { region: at(place).region } : at(place)),
            reason: 'generated',
            since: '2026-11-01',
          })),
        };
      }),
    };
  });

/** Values that are wrong in one field each, of the kinds that people write. */
export const wrongValues = fc.constantFrom<(raw: ReturnType<typeof rawConfig>) => void>(
  (raw) => (raw.home.account = 'home'),
  (raw) => (raw.waves[0].regions = ['eu-west-9']),
  (raw) => (raw.waves[0].regions = ['cn-north-1']),
  (raw) => (raw.waves[0].accounts = []),
  (raw) => (raw.waves[0].canary = { region: 'us-gov-west-1' }),
  (raw) => (raw.runtimes[0].versions = ['latest']),
  (raw) => raw.waves.push(raw.waves[0]),
  (raw) => (raw.sharing = { with: 'accounts', accounts: [] }),
  (raw) => (raw.schedule = 'rate(5 minutes)'),
  (raw) => (raw.monitoring = { dashboard: true }),
  (raw) => delete raw.source.connectionArn,
  (raw) => delete raw.source,
);
