export { type CostEstimate, estimateCost } from './cost';
export { expectedSeconds, stageSeconds } from './duration';
export {
  deployRoleArn,
  exampleFunctionName,
  exampleRoleName,
  executionRoleArn,
  type Location,
  locate,
  lookupRoleArn,
  type Naming,
  preflightRoleName,
  publishRoleName,
  publishStackName,
  releaseStackName,
  roleArn,
  smokeRoleName,
  targetSmokeRoleName,
} from './names';
export {
  PARAMETERS_AT_A_TIME,
  type ParameterPlan,
  planParameters,
  recordName,
} from './parameters';
export {
  buildsNatively,
  type DeliveryPlan,
  type ExampleRuntime,
  type PausedTarget,
  planDelivery,
  planTarget,
  releasePlan,
  type WavePlan,
} from './plan';
export { MAX_PARAMETERS, type QuotaUse, quotaUse } from './quotas';
export { deploymentName, planStages, type StagePlan } from './stages';
export {
  hasCloudFormationAction,
  type RemoteDeployment,
  remoteRoleArns,
  type SmokePlan,
  type Step,
} from './steps';
