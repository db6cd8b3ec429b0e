export {
  exampleFunctionName,
  exampleRoleName,
  publishRoleName,
  roleArn,
  smokeRoleName,
  targetSmokeRoleName,
} from './names';
export { type ParameterPlan, planParameters } from './parameters';
export {
  type DeliveryPlan,
  type ExampleRuntime,
  MAX_ACTIONS_PER_STAGE,
  type PausedTarget,
  planDelivery,
  releasePlan,
  type WavePlan,
} from './plan';
