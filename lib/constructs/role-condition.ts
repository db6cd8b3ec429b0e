import { aws_iam as iam } from 'aws-cdk-lib';

/**
 * Roles as the accounts that they are in, each on the condition that it is one of the roles.
 *
 * AWS refuses a policy with a principal that does not exist, and a principal is the role that has
 * the name now: one that is made anew under it would be another one
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
 *
 * @param arns of one role, or of several
 */
export function rolesByCondition(arns: string | string[]): iam.IPrincipal[] {
  const accounts = new Set([arns].flat().map((arn) => arn.replace(/:role\/.*/, ':root')));
  const conditions = { ArnEquals: { 'aws:PrincipalArn': arns } };
  return [...accounts].map((arn) => new iam.ArnPrincipal(arn).withConditions(conditions));
}
