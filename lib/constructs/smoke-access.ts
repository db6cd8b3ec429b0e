import { aws_iam as iam } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { TargetLayer } from '../release';
import { rolesByCondition } from './role-condition';

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
    const [assumedBy] = rolesByCondition(props.trustedRoleArn) as [iam.IPrincipal];
    new iam.Role(this, 'Role', {
      roleName: props.roleName,
      description: 'Assumed by the delivery pipeline to smoke-test the layers of this region',
      assumedBy,
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
