import { type Place, partitionOf } from '../config';

/** What ARNs are made of; a template for many targets has CloudFormation's own words for these. */
export interface Location extends Place {
  readonly partition: string;
}

export function locate({ account, region }: Place): Location {
  return { partition: partitionOf(region), account, region };
}

/** The only names that two stacks, or a stack and an action, must agree on. */
export interface Naming {
  /** `delivery.name`. */
  readonly name: string;
  /** `delivery.qualifier`. */
  readonly qualifier: string;
}

/** Stack of a target with its private layer versions and their example functions. */
export const publishStackName = ({ name }: Naming) => `${name}-publish`;

/** Stack of a target with the permissions and pointers of its release. */
export const releaseStackName = ({ name }: Naming) => `${name}-release`;

/** Role of the CodeBuild project that copies zips into the bootstrap buckets (home account). */
export const publishRoleName = ({ name }: Naming) => `${name}-publish`;

/** Role of the CodeBuild project that checks the targets before anything is deployed (home account). */
export const preflightRoleName = ({ name }: Naming) => `${name}-preflight`;

/** Role of the CodeBuild project that smoke-tests a wave (home account): no wave enters another. */
export const smokeRoleName = ({ name }: Naming, wave: string) => `${name}-smoke-wave-${wave}`;

/** Role in a target that the smoke role assumes; one a region, since roles are global. */
export const targetSmokeRoleName = ({ name }: Naming, region: string) => `${name}-smoke-${region}`;

/** Role that the example functions of a target run as. */
export const exampleRoleName = ({ name }: Naming, region: string) => `${name}-example-${region}`;

/** Example function of a layer; at most 64 characters, the limit of Lambda. */
export const exampleFunctionName = ({ name }: Naming, layer: string) => `${name}-${layer}`;

/** CDK's bootstrap bucket of a target. */
export const bootstrapBucket = ({ qualifier }: Naming, { account, region }: Place) =>
  `cdk-${qualifier}-assets-${account}-${region}`;

/** ARN of CDK's bootstrap role that may write to that bucket. */
export const filePublishingRoleArn = ({ qualifier }: Naming, location: Location) =>
  bootstrapRoleArn(qualifier, 'file-publishing-role', location);

/** ARN of CDK's bootstrap role that deploys stacks, and trusts the home account. */
export const deployRoleArn = ({ qualifier }: Naming, location: Location) =>
  bootstrapRoleArn(qualifier, 'deploy-role', location);

/** ARN of CDK's bootstrap role that CloudFormation creates the resources of a stack with. */
export const executionRoleArn = ({ qualifier }: Naming, location: Location) =>
  bootstrapRoleArn(qualifier, 'cfn-exec-role', location);

/** ARN of CDK's bootstrap role that may read everything but secrets, and trusts the home account. */
export const lookupRoleArn = ({ qualifier }: Naming, location: Location) =>
  bootstrapRoleArn(qualifier, 'lookup-role', location);

function bootstrapRoleArn(qualifier: string, role: string, location: Location): string {
  return roleArn(location, `cdk-${qualifier}-${role}-${location.account}-${location.region}`);
}

export function roleArn({ partition, account }: Location, roleName: string): string {
  return `arn:${partition}:iam::${account}:role/${roleName}`;
}

/** ARN of version 1 of a layer, the only version that is ever recorded. */
export function layerVersionArn({ partition, account, region }: Location, layer: string): string {
  return `arn:${partition}:lambda:${region}:${account}:layer:${layer}:1`;
}
