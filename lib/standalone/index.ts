export { type BuildRuntimeLayerOptions, buildRuntimeLayer } from './build-layer';
export { type AppContents, appContents } from './contents';
export { placeholderRelease } from './placeholder';
export { type AddStacksOptions, addStacks } from './stacks';
