export { cloudEnvironment, isolate } from './environment';
export { countFaults, type FaultKind, type FaultRule, setFaults } from './faults';
export { LocalCloud } from './local-cloud';
export type { CloudAddress, CloudEnvironment, LocalCloudOptions } from './model';
export { keepState, restoreState } from './snapshots';
