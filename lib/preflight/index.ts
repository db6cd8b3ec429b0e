export { preflightCommand } from './command';
export {
  type PreflightOptions,
  preflight,
  preflightError,
  type TargetReadiness,
} from './preflight';
