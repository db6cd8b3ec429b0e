export { Checkout } from './checkout';
export {
  CONSUMER_ARN,
  NATIVE,
  type Place,
  type RawConfig,
  shippedConfig,
  smallConfig,
  targetsOf,
} from './config';
export { readManifest } from './manifest';
export { type ArnRow, parseArnTable, parseExports } from './output';
export type { Outcome, RehearsalRun, ReportedOutcome } from './run';
export {
  aws,
  type LayerVersionState,
  lambdaClient,
  readLayers,
  readTargets,
  type TargetContent,
  valuesOf,
} from './targets';
export { mountsBelow, tracesOf } from './traces';
