export { REPORT_PREFIX, smokeCommand } from './command';
export { type SmokeOptions, type SmokeResult, smoke } from './smoke';
