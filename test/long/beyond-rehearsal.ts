/** A permission that no rehearsal can show to be needed. */
export interface Exemption {
  /** Of the permission as `describePermission` writes it. */
  readonly matches: RegExp;
  /** Whether production needs it, or CDK grants it and can be kept from it by nothing. */
  readonly kind: 'needed' | 'surplus';
  /** Why it is needed and the rehearsal does not see it; or why it cannot be removed. */
  readonly why: string;
  /** Page of AWS's documentation, or of CDK's source, that says so. */
  readonly source: string;
}

const AWS = 'https://docs.aws.amazon.com';
const CODEBUILD = `${AWS}/codebuild/latest/userguide/setting-up-service-role.html`;
const CODEPIPELINE = `${AWS}/codepipeline/latest/userguide/how-to-custom-role.html`;
const CDK = 'https://github.com/aws/aws-cdk/tree/main/packages/aws-cdk-lib';

const needed = (matches: RegExp, why: string, source: string): Exemption => ({
  matches,
  kind: 'needed',
  why,
  source,
});
const surplus = (matches: RegExp, why: string, source: string): Exemption => ({
  matches,
  kind: 'surplus',
  why,
  source,
});

/** Roles that CDK makes by itself, and grants to as it likes. */
const PIPELINE = 'role \\d+ \\S+-PipelineRole\\S+: ';
const SELF_MUTATION = 'role \\d+ \\S+-PipelineUpdatePipelineSelfMutation\\S+: ';
/** Roles of lib/pipeline/build-roles.ts. */
const BUILD =
  'role \\d+ (layers-preflight|layers-publish|layers-smoke-wave-\\w+|layers-delivery-(?!Pipeline)\\S*role\\S+): ';

const of = (role: string, rest: string) => new RegExp(`^${role}${rest}`);

/** What stands here is checked, too: see least-privilege.test.ts. */
export const BEYOND_REHEARSAL: readonly Exemption[] = [
  needed(
    of(BUILD, 'logs:(CreateLogStream|PutLogEvents)$'),
    'CodeBuild writes the log of a build; here it goes to a file',
    CODEBUILD,
  ),
  needed(
    of(BUILD, 's3:(GetBucketAcl|GetBucketLocation|GetObjectVersion)$'),
    "CodeBuild's documented minimum; the engine asks for an object without its version, by name",
    CODEBUILD,
  ),
  needed(
    of(BUILD, 'kms:\\w+$'),
    'artifacts are encrypted with a key; the emulator stores them without',
    `${AWS}/codebuild/latest/userguide/setting-up-kms.html`,
  ),
  needed(
    /^role \d+ layers-example-\S+: (logs:|\S+ of logs:)/,
    'Lambda writes the logs of a function; here they go to a file',
    `${AWS}/lambda/latest/dg/monitoring-cloudwatchlogs.html`,
  ),
  needed(
    /^trust \d+ layers-example-\S+: /,
    'Lambda becomes the execution role; the function runner runs without credentials',
    `${AWS}/lambda/latest/dg/lambda-intro-execution-role.html`,
  ),
  needed(
    /^(role|trust) \d+ \S+-StartedEventsRole\S+: /,
    'EventBridge starts the pipeline at the times of the schedule; the emulator starts none',
    `${AWS}/eventbridge/latest/userguide/eb-events-iam-roles.html`,
  ),
  needed(
    /^key /,
    'key policies: the emulator encrypts nothing, and asks no key',
    `${AWS}/kms/latest/developerguide/key-policies.html`,
  ),
  needed(
    /^topic /,
    'EventBridge tells of failures and approvals, over TLS only; the emulator sends nothing',
    `${AWS}/eventbridge/latest/userguide/eb-use-resource-based.html`,
  ),
  needed(
    /^bucket .*: (s3:\*|\S+ of s3:\*)$/,
    'denies what comes without TLS; the local cloud speaks nothing else',
    `${AWS}/AmazonS3/latest/userguide/security-best-practices.html`,
  ),
  needed(
    /^bucket .*: (s3:GetBucket\*|s3:List\*|arn:aws:s3:::[^/ ]+ of DeployRoles)$/,
    "reading of the bucket itself: CDK grants it to deploy roles, AWS's example of two accounts does, too; here they need the objects",
    `${AWS}/codepipeline/latest/userguide/pipelines-create-cross-account.html`,
  ),
  needed(
    of(PIPELINE, '(codeconnections:UseConnection|codebuild:(BatchGetBuilds|StopBuild))$'),
    'the engine hands the commit over, waits for its own builds and ends them by a signal',
    CODEPIPELINE,
  ),
  needed(
    of(PIPELINE, '(s3:GetBucket\\*|s3:PutObjectAcl|arn:aws:s3:::[^/ ]+ of s3:.*)$'),
    "CodePipeline's documented minimum asks for the bucket's place and writes ACLs",
    CODEPIPELINE,
  ),
  needed(
    of(PIPELINE, '(kms:|\\S+ of kms:)'),
    'artifacts are encrypted with keys, those of the replicas too; the emulator stores them without',
    `${AWS}/codepipeline/latest/userguide/S3-artifact-encryption.html`,
  ),
  surplus(
    of(
      PIPELINE,
      '(s3:(Abort|DeleteObject|List)\\*|s3:PutObject(LegalHold|Retention|Tagging|VersionTagging|VersionAcl)|codestar-connections:UseConnection)$',
    ),
    'CDK grants the artifacts read and write by prefix, and a connection under its old name, too',
    `${CDK}/aws-s3/lib/perms.ts`,
  ),
  needed(
    of(SELF_MUTATION, '(logs:(CreateLogStream|PutLogEvents)|kms:Decrypt)$'),
    'log of the build, and the key of the artifacts, as for the other builds',
    CODEBUILD,
  ),
  surplus(
    of(
      SELF_MUTATION,
      '(cloudformation:DescribeStacks|s3:ListBucket|logs:CreateLogGroup|\\S+ of logs:.*|codebuild:.*|s3:(GetBucket|List)\\*|arn:aws:s3:::[^/ ]+ of s3:Get.*|kms:(DescribeKey|Encrypt|GenerateDataKey\\*|ReEncrypt\\*))$',
    ),
    'CDK Pipelines makes this role itself, with a log group and report groups of its own, every form of reading, and looks at stacks and buckets that the deploy role takes itself',
    `${CDK}/pipelines/lib/codepipeline/codepipeline.ts`,
  ),
];
