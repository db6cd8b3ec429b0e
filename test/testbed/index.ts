export { testbedConfig } from './config';
export { readContents, type TargetContents } from './contents';
export {
  describePermission,
  type Permission,
  type Policy,
  permissionsOf,
  readPolicies,
  takeAway,
} from './permissions';
export { runWithout } from './removal';
export { Testbed, type TestbedOptions } from './testbed';
