import { aws_iam as iam, type aws_logs as logs, type aws_s3 as s3 } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

export interface BuildRoleProps {
  /** Needed where the targets trust the role by name. @default made up by CloudFormation */
  readonly roleName?: string;
  /** ARNs of the roles in the targets that the action enters. @default none */
  readonly assumable?: readonly string[];
  /** Whether the action hands files to others. @default false, it only takes what they made */
  readonly writesArtifacts?: boolean;
}

/** About 5000 characters of role ARNs: a managed policy takes 6144. */
const ARNS_PER_STATEMENT = 50;

/** `kms:GenerateDataKey*` and `kms:ReEncrypt*` of that page, name by name. */
const ENCRYPTION = [
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/**
 * Service roles of the CodeBuild projects, each with what its action does and nothing else.
 *
 * CDK grants each project a log group and report groups that these projects do not use, every form
 * of reading the artifact bucket, and every use of its key. The roles here are closed to that; what
 * they may is CodeBuild's documented minimum
 * (https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html), and what it
 * asks for of a key that encrypts build outputs
 * (https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-kms.html).
 */
export class BuildRoles {
  constructor(
    private readonly scope: Construct,
    private readonly artifacts: s3.Bucket,
    private readonly logGroup: logs.LogGroup,
  ) {}

  /** A new role, which takes no grants of CDK's. */
  create(id: string, props: BuildRoleProps = {}): iam.IRole {
    const { roleName, assumable = [], writesArtifacts = false } = props;
    const role = new iam.Role(this.scope, id, {
      roleName,
      assumedBy: new iam.ServicePrincipal('codebuild.amazonaws.com'),
    });
    // One statement of all ARNs would fit into no policy, and CDK cannot divide it.
    for (let from = 0; from < assumable.length; from += ARNS_PER_STATEMENT) {
      allow(
        role,
        `EnterTargets${from === 0 ? '' : from / ARNS_PER_STATEMENT + 1}`,
        ['sts:AssumeRole'],
        assumable.slice(from, from + ARNS_PER_STATEMENT),
      );
    }
    const { bucketArn, encryptionKey } = this.artifacts;
    allow(role, 'FindArtifacts', ['s3:GetBucketAcl', 's3:GetBucketLocation'], [bucketArn]);
    allow(
      role,
      'Artifacts',
      ['s3:GetObject', 's3:GetObjectVersion', ...(writesArtifacts ? ['s3:PutObject'] : [])],
      [this.artifacts.arnForObjects('*')],
    );
    if (encryptionKey) {
      allow(
        role,
        'ArtifactKey',
        ['kms:Decrypt', 'kms:DescribeKey', ...(writesArtifacts ? ENCRYPTION : [])],
        [encryptionKey.keyArn],
      );
    }
    this.logGroup.grantWrite(role);
    return role.withoutPolicyUpdates();
  }
}

function allow(role: iam.Role, sid: string, actions: string[], resources: readonly string[]): void {
  role.addToPolicy(new iam.PolicyStatement({ sid, actions, resources: [...resources] }));
}
