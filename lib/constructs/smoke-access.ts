import { aws_iam as iam } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { TargetLayer } from '../release';

export interface SmokeAccessProps {
  readonly roleName: string;
  /** ARN of the role in the home account that may assume this one. */
  readonly trustedRoleArn: string;
  readonly layers: readonly TargetLayer[];
  readonly functionArns: readonly string[];
}

/** The role through which the smoke action reads the layers of one target and runs its functions. */
export class SmokeAccess extends Construct {
  constructor(scope: Construct, id: string, props: SmokeAccessProps) {
    super(scope, id);
    new iam.Role(this, 'Role', {
      roleName: props.roleName,
      description: 'Assumed by the delivery pipeline to smoke-test the layers of this region',
      assumedBy: trusted(props.trustedRoleArn),
      inlinePolicies: {
        Smoke: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              sid: 'ReadLayers',
              actions: ['lambda:GetLayerVersion'],
              resources: props.layers.map(({ arn }) => arn),
            }),
            new iam.PolicyStatement({
              sid: 'RunExamples',
              actions: ['lambda:GetFunctionConfiguration', 'lambda:InvokeFunction'],
              resources: [...props.functionArns],
            }),
          ],
        }),
      },
    });
  }
}

/**
 * As a principal it would be the role that has this name now: after that was deleted and made anew,
 * nobody could assume this one.
 */
function trusted(roleArn: string): iam.IPrincipal {
  const home = roleArn.replace(/:role\/.*/, ':root');
  return new iam.ArnPrincipal(home).withConditions({
    ArnEquals: { 'aws:PrincipalArn': roleArn },
  });
}
