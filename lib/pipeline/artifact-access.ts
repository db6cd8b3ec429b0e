import { aws_iam as iam, type aws_s3 as s3 } from 'aws-cdk-lib';
import { rolesByCondition } from '../constructs/role-condition';
import { deployRoleArn, type Naming } from '../plan';
import type { ReleaseTarget } from '../release';

/**
 * Lets the deploy roles of targets in other accounts read the artifacts that lie in a bucket.
 *
 * As principals, one that is not bootstrapped would keep the whole pipeline from being updated.
 * A role of the bucket's own account has to be a principal, because it may read no bucket by itself.
 */
export function admitDeployRoles(
  bucket: s3.Bucket,
  naming: Naming,
  targets: readonly ReleaseTarget[],
): void {
  const foreign = targets.filter(({ account }) => account !== bucket.stack.account);
  if (foreign.length === 0) return;
  const principals = rolesByCondition(foreign.map((target) => deployRoleArn(naming, target)));
  bucket.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'DeployRoles',
      actions: ['s3:GetBucket*', 's3:GetObject*', 's3:List*'],
      resources: [bucket.bucketArn, bucket.arnForObjects('*')],
      principals,
    }),
  );
  bucket.encryptionKey?.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'DeployRoles',
      actions: ['kms:Decrypt', 'kms:DescribeKey'],
      resources: ['*'],
      principals,
    }),
  );
}
