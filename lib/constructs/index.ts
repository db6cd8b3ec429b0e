export { ExampleFunctions, type ExampleFunctionsProps } from './example-functions';
export { LayerPermissions, type LayerPermissionsProps } from './layer-permissions';
export { LayerVersions, type LayerVersionsProps } from './layer-versions';
export { ReleaseParameters, type ReleaseParametersProps } from './release-parameters';
export { RuntimeFunction, type RuntimeFunctionProps } from './runtime-function';
export {
  type BuiltLayer,
  RuntimeLayer,
  type RuntimeLayerFromArnProps,
  type RuntimeLayerFromBuildProps,
  type RuntimeLayerFromParameterProps,
} from './runtime-layer';
export { SmokeAccess, type SmokeAccessProps } from './smoke-access';
