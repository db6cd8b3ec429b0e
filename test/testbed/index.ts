export { testbedConfig } from './config';
export { readContents, type TargetContents } from './contents';
export { Testbed, type TestbedOptions } from './testbed';
