export { expectedSeconds, MODEL, stageSeconds } from './duration';
export {
  deployRoleArn,
  exampleFunctionName,
  exampleRoleName,
  filePublishingRoleArn,
  lookupRoleArn,
  preflightRoleName,
  publishRoleName,
  roleArn,
  smokeRoleName,
  targetSmokeRoleName,
} from './names';
export { type ParameterPlan, planParameters } from './parameters';
export {
  type DeliveryPlan,
  type ExampleRuntime,
  type PausedTarget,
  planDelivery,
  releasePlan,
  type WavePlan,
} from './plan';
export {
  MAX_ACTIONS_PER_STAGE,
  MAX_INLINE_POLICY_CHARACTERS,
  MAX_PARAMETERS,
  MAX_STAGES,
  MAX_TEMPLATE_BYTES,
  type QuotaUse,
  quotaUse,
} from './quotas';
export {
  type ActionKind,
  type ActionPlan,
  deploymentId,
  planStages,
  type StagePlan,
} from './stages';
export type { PublishStep, ReleaseStep, RemoteDeployment, SmokePlan, WaveSteps } from './steps';
