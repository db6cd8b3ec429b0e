export { pruneCommand } from './command';
export { type PrunedVersion, type PruneOptions, prune } from './prune';
