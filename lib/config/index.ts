export { EXAMPLE_ACCOUNTS, exampleValues, REHEARSAL_VARIABLE } from './example';
export {
  CONTEXT_KEY,
  configFromContext,
  OVERRIDES_VARIABLE,
  type Overrides,
  overridesFromEnvironment,
  overridesIn,
  parseJson,
  readConfig,
  readJson,
} from './load';
export { type Partition, partitionOf, REGIONS, type RegionFacts } from './regions';
export type { DeliveryConfig, RuntimeConfig, SharingConfig, WaveConfig } from './schema';
export { parseConfig } from './validate';
export { type Place, pauseOf, targetsOf } from './waves';
