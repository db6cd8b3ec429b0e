export { bootstrapCure, bootstrapUpdate, qualifierOf } from './bootstrap-command';
export { clientConfig } from './client-config';
export { explain, isThrottling, type RequestContext, wordsOf } from './explain';
export {
  type AssumeRoleProps,
  callerAccount,
  personConfig,
  type RoleCredentials,
  roleCredentials,
  stsClient,
} from './role-credentials';
