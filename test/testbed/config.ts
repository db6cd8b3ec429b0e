import { type RawConfig, smallConfig } from '../e2e/support';

/** Every kind of action: an approval, a canary, and a region without CodePipeline in the last wave. */
export function testbedConfig(versions: readonly string[]): RawConfig {
  const small = smallConfig(versions);
  const [pilot, production] = small.waves;
  if (!pilot || !production) throw new Error('the shipped configuration has two waves');
  return {
    ...small,
    waves: [
      pilot,
      { ...production, approval: true, canary: { region: 'eu-west-1' } },
      { ...production, name: 'far', approval: true, regions: ['us-west-2', 'ca-west-1'] },
    ],
  };
}
