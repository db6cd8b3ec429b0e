export { LocalFunction, type LocalFunctionOptions } from './local-function';
