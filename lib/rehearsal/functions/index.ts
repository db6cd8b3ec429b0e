export type { FunctionSpec, InvokeOptions, InvokeResult } from './model';
export { FunctionRunner } from './runner';
