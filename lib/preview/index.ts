export { compareWithAws, type TargetChanges } from './against';
export { planCommand } from './command';
export { type Preview, planLocally, preview } from './preview';
