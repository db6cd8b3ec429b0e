/** What a region offers; see `REGIONS` for sources. */
export interface RegionFacts {
  readonly partition: 'aws' | 'aws-us-gov' | 'aws-cn';
  /** Must be enabled in an account before use. */
  readonly optIn: boolean;
  /** CodePipeline runs there, so a CloudFormation action may have it as its region. */
  readonly codePipeline: boolean;
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

function facts(
  names: string[],
  partition: RegionFacts['partition'],
  optIn: boolean,
): [string, RegionFacts][] {
  return names.map((name) => [
    name,
    { partition, optIn, codePipeline: !WITHOUT_CODE_PIPELINE.has(name) },
  ]);
}

/**
 * Regions that Lambda offers, as of May 2026.
 *
 * Sources: AWS General Reference (Lambda and CodePipeline endpoints and quotas),
 * AWS Account Management guide (regions that are disabled by default).
 */
export const REGIONS: ReadonlyMap<string, RegionFacts> = new Map([
  ...facts(COMMERCIAL_DEFAULT, 'aws', false),
  ...facts(COMMERCIAL_OPT_IN, 'aws', true),
  ...facts(['us-gov-east-1', 'us-gov-west-1'], 'aws-us-gov', false),
  ...facts(['cn-north-1', 'cn-northwest-1'], 'aws-cn', false),
]);

/** Partition of a known region; `aws` for one that is not in the table. */
export function partitionOf(region: string): RegionFacts['partition'] {
  return REGIONS.get(region)?.partition ?? 'aws';
}
