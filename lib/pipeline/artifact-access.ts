import { aws_iam as iam, type aws_s3 as s3 } from 'aws-cdk-lib';
import { deployRoleArn, type Naming } from '../plan';
import type { ReleaseTarget } from '../release';

/**
 * Lets the deploy roles of targets in other accounts read the artifacts that lie in a bucket.
 *
 * They are told by a condition, not as principals: AWS refuses a policy with a principal that does
 * not exist, so one target that is not bootstrapped would keep the whole pipeline from being
 * updated, and a role that was made anew would be another one
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
 * A role of the bucket's own account has to be a principal, because it may read no bucket by itself.
 */
export function admitDeployRoles(
  bucket: s3.Bucket,
  naming: Naming,
  targets: readonly ReleaseTarget[],
): void {
  const foreign = targets.filter(({ account }) => account !== bucket.stack.account);
  if (foreign.length === 0) return;
  const admitted = {
    principals: [
      ...new Set(foreign.map(({ partition, account }) => `arn:${partition}:iam::${account}:root`)),
    ].map((arn) => new iam.ArnPrincipal(arn)),
    conditions: {
      ArnEquals: {
        'aws:PrincipalArn': foreign.map((target) => deployRoleArn(naming, target)),
      },
    },
  };
  bucket.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'DeployRoles',
      actions: ['s3:GetBucket*', 's3:GetObject*', 's3:List*'],
      resources: [bucket.bucketArn, bucket.arnForObjects('*')],
      ...admitted,
    }),
  );
  bucket.encryptionKey?.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'DeployRoles',
      actions: ['kms:Decrypt', 'kms:DescribeKey'],
      resources: ['*'],
      ...admitted,
    }),
  );
}
