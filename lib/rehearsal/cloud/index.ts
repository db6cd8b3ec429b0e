export { cloudEnvironment } from './environment';
export { LocalCloud } from './local-cloud';
export type { AttachOptions, CloudEnvironment, LocalCloudOptions } from './model';
