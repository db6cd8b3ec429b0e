export { ExampleFunctions, type ExampleFunctionsProps } from './example-functions';
export { LayerPermissions, type LayerPermissionsProps } from './layer-permissions';
export { LayerVersions, type LayerVersionsProps } from './layer-versions';
export { ReleaseParameters, type ReleaseParametersProps } from './release-parameters';
export { SmokeAccess, type SmokeAccessProps } from './smoke-access';
