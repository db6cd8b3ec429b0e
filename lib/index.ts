/**
 * Lambda runtime layers for CDK apps: build or find a layer, and run functions on it.
 *
 * @packageDocumentation
 */
export { RuntimeFunction, type RuntimeFunctionProps } from './constructs/runtime-function';
export {
  type BuiltLayer,
  RuntimeLayer,
  type RuntimeLayerFromArnProps,
  type RuntimeLayerFromBuildProps,
  type RuntimeLayerFromParameterProps,
} from './constructs/runtime-layer';
export { LayersError } from './errors';
export type { Architecture, LayerFile, LayerManifest } from './release/model';
export { type BuildRuntimeLayerOptions, buildRuntimeLayer } from './standalone/build-layer';
