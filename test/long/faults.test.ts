import { Testbed, testbedConfig } from '../testbed';

const MINUTES = 60_000;

let testbed: Testbed;

beforeAll(async () => {
  testbed = await Testbed.create({
    before: testbedConfig(['24.20.0']),
    after: testbedConfig(['24.20.0', '24.21.0']),
  });
}, 10 * MINUTES);

afterAll(() => testbed?.dispose(), 2 * MINUTES);

test.each([
  ['pilot-publish', 'production-approval'],
  ['pilot-release', 'production-approval'],
  ['production-canary', 'far-approval'],
  ['far-publish', undefined],
])(
  'a run that starts at %s comes to the same as the one from the source',
  async (from, until) => {
    await testbed.reset(from);
    expect(await testbed.contents()).toEqual(testbed.expected(from));
    expect(testbed.expected(from)).not.toEqual(testbed.expected(until));
    const { status } = await testbed.run(from, until);
    expect(status).toBe(until ? 'InProgress' : 'Succeeded');
    expect(await testbed.contents()).toEqual(testbed.expected(until));
  },
  2 * MINUTES,
);
