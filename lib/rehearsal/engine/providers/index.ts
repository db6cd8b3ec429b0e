export { ManualApproval } from './approval';
export { CloudFormationDeploy } from './cloudformation';
export { CodeBuildAction } from './codebuild';
export type { ActionContext, ActionProgress, ActionProvider, ActionResult } from './provider';
export { RepositorySource } from './source';
