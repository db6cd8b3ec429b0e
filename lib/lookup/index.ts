export { arnCommand, listCommand } from './command';
export { type ListLayersProps, type LookupArnProps, listLayers, lookupArn } from './lookup';
export type { LookupResult } from './names';
export { type Parameter, ParameterStore } from './parameters';
