/** An AWS partition: accounts, ARNs and endpoints of one are unknown to the others. */
export type Partition = 'aws' | 'aws-us-gov' | 'aws-cn';

/** What a region offers; see `REGIONS` for sources. */
export interface RegionFacts {
  readonly partition: Partition;
  /** Must be enabled in an account before use. */
  readonly optIn: boolean;
  /** CodePipeline runs there. */
  readonly codePipeline: boolean;
  /** CodePipeline has CloudFormation actions there. */
  readonly cloudFormationActions: boolean;
  /** CodeConnections brings pushes from GitHub to a pipeline there. */
  readonly connections: boolean;
  /** CodeBuild builds on Graviton there. */
  readonly gravitonBuilds: boolean;
  /** What no source says for sure, a few words each. @default none */
  readonly unconfirmed?: readonly string[];
}

const COMMERCIAL_DEFAULT = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'sa-east-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'ap-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-southeast-1',
  'ap-southeast-2',
];
const COMMERCIAL_OPT_IN = [
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-south-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'eu-central-2',
  'eu-south-1',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'mx-central-1',
];
const WITHOUT_CODE_PIPELINE = new Set([
  'ap-east-2',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'mx-central-1',
]);

const WITHOUT_CONNECTIONS = new Set([
  ...WITHOUT_CODE_PIPELINE,
  'af-south-1',
  'ap-east-1',
  'ap-northeast-3',
  'ap-south-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'eu-central-2',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'us-gov-west-1',
]);

const WITH_GRAVITON_BUILDS = new Set([
  'us-east-1',
  'us-east-2',
  'us-west-2',
  'eu-west-1',
  'eu-central-1',
  'ap-south-1',
  'ap-northeast-1',
  'ap-southeast-2',
]);

function facts(
  names: readonly string[],
  shared: Pick<RegionFacts, 'partition' | 'optIn'> & Partial<RegionFacts>,
): [string, RegionFacts][] {
  return names.map((name) => [
    name,
    {
      codePipeline: !WITHOUT_CODE_PIPELINE.has(name),
      cloudFormationActions: !WITHOUT_CODE_PIPELINE.has(name),
      connections: !WITHOUT_CONNECTIONS.has(name),
      gravitonBuilds: WITH_GRAVITON_BUILDS.has(name),
      ...shared,
    },
  ]);
}

/**
 * Regions that Lambda offers, as of November 2026.
 *
 * Sources: botocore 1.43.106 (`endpoints.json`, `codebuild`) for regions, partitions, CodePipeline,
 * CodeConnections and Graviton; CDK's region-info for opt-in. Tests compare the table with both, and
 * with cfn-lint. Where sources differ a commercial region counts as one that lacks the service:
 * everything works there all the same, by another way. Elsewhere it is marked as unconfirmed.
 *
 * - ap-southeast-6: botocore has CodePipeline there, the AWS General Reference (May 2026) has not.
 * - Graviton in CodeBuild: elsewhere it refuses a project ("Region … is not supported for
 *   ARM_CONTAINER"). The CodeBuild API Reference named eight regions for projects as long as it had a
 *   list ("ProjectEnvironment", 2022); botocore's ("Fleet") adds ap-southeast-1 and sa-east-1.
 * - GovCloud: no Graviton in CodeBuild (AWS GovCloud (US) User Guide, "AWS CodeBuild"), no
 *   connections in us-gov-west-1 (CodePipeline User Guide, "Connections").
 * - China: no connections; no CloudFormation actions (CodePipeline User Guide of Amazon Web Services
 *   in China, "CloudFormation deploy action reference"). botocore and the announcements of 2025 have
 *   CodePipeline there, "Getting Started with AWS services in China" says under CodeBuild that it is
 *   not there.
 * - Lambda on arm64 in both: AWS publishes layers for it there (`layer_govcloud.yml` of
 *   aws-powertools/powertools-lambda-python, `cn-prod.json` of aws/aws-lambda-web-adapter).
 */
export const REGIONS: ReadonlyMap<string, RegionFacts> = new Map([
  ...facts(COMMERCIAL_DEFAULT, { partition: 'aws', optIn: false }),
  ...facts(COMMERCIAL_OPT_IN, { partition: 'aws', optIn: true }),
  ...facts(['us-gov-east-1', 'us-gov-west-1'], { partition: 'aws-us-gov', optIn: false }),
  ...facts(['cn-north-1', 'cn-northwest-1'], {
    partition: 'aws-cn',
    optIn: false,
    cloudFormationActions: false,
    connections: false,
    unconfirmed: ['CodePipeline', 'builds on Graviton'],
  }),
]);

/** Partition of a known region; `aws` for one that is not in the table. */
export function partitionOf(region: string): Partition {
  return REGIONS.get(region)?.partition ?? 'aws';
}
