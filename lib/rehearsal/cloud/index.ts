export { LocalCloud } from './local-cloud';
export type { AttachOptions, CloudEnvironment, LocalCloudOptions } from './model';
