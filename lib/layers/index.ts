export { type BuildLayersOptions, type BuildProgress, buildLayers } from './build';
export { configuredRuntimes } from './configured';
export { buildExamples, describeExample, type Example } from './examples';
export { findManifest, readManifests } from './manifests';
export { findRuntime, loadRuntimes, type Runtime } from './runtimes';
export { describeSpec, type LayerSpec, type RuntimeSelection, resolveLayers } from './specs';
