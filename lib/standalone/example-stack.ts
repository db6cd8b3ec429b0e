import {
  CfnOutput,
  aws_iam as iam,
  aws_lambda as lambda,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { RuntimeFunction } from '../constructs/runtime-function';
import { RuntimeLayer } from '../constructs/runtime-layer';
import type { Runtime } from '../layers';
import { exampleFolder } from '../layers/examples';
import type { Architecture } from '../release';
import type { UrlAccess } from './flags';

export interface ExampleFnStackProps extends StackProps {
  readonly runtime: Runtime;
  readonly architecture: Architecture;
  /** ARN of the layer version, or the token of a layer stack's output. */
  readonly layerArn: string;
  /**
   * Name of a layer that is deployed with this stack. It changes with the layer's content, and the
   * function with it: the token alone would look the same, and nothing would be updated.
   *
   * @default - the ARN says which layer it is
   */
  readonly layerName?: string;
  /** @default - no URL */
  readonly functionUrl?: UrlAccess;
}

/** The example function of a runtime, with nothing that outlives the stack. */
export class ExampleFnStack extends Stack {
  constructor(scope: Construct, id: string, props: ExampleFnStackProps) {
    const { runtime, architecture, layerArn, layerName } = props;
    super(scope, id, {
      ...props,
      description: `Example function on the ${runtime.name} layer for ${architecture}`,
    });
    const layer = RuntimeLayer.fromArn(this, 'Layer', {
      arn: layerArn,
      runtime: runtime.name,
      architecture,
    });
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logs.RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    const fn = new RuntimeFunction(this, 'Function', {
      layer,
      entry: exampleFolder(runtime),
      description: `Echoes its event on the layer ${layerName ?? layerArn}`,
      role,
      logGroup,
    });
    new CfnOutput(this, 'TestFunctionName', { value: fn.functionName });
    if (props.functionUrl) {
      const url = fn.addFunctionUrl({ authType: AUTH_TYPES[props.functionUrl] });
      new CfnOutput(this, 'TestFunctionUrl', { value: url.url });
    }
  }
}

const AUTH_TYPES: Readonly<Record<UrlAccess, lambda.FunctionUrlAuthType>> = {
  iam: lambda.FunctionUrlAuthType.AWS_IAM,
  public: lambda.FunctionUrlAuthType.NONE,
};
