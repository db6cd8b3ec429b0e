import {
  ArnFormat,
  Duration,
  aws_iam as iam,
  aws_lambda as lambda,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
  aws_s3 as s3,
} from 'aws-cdk-lib';
import { Construct, type IDependable } from 'constructs';
import {
  acknowledgeContentAddressedCode,
  acknowledgeLogStreams,
} from '../pipeline/acknowledgements';
import type { ExampleRuntime } from '../plan';
import { exampleObjectKey, type ReleaseLayer, type TargetLayer } from '../release';

export interface ExampleFunctionsProps {
  readonly layers: readonly ReleaseLayer[];
  /** ARNs and function names of the same layers in this target. */
  readonly names: readonly TargetLayer[];
  readonly partition: string;
  readonly examples: readonly ExampleRuntime[];
  /** Bucket in the stack's own region that holds the example zips. */
  readonly bucket: string;
  readonly roleName: string;
  /** What must exist before a function can attach its layer. */
  readonly layerVersions: ReadonlyMap<string, IDependable>;
}

/** One example function a layer, attached to exactly the ARN that will be recorded. */
export class ExampleFunctions extends Construct {
  readonly functions: readonly lambda.Function[];

  constructor(scope: Construct, id: string, props: ExampleFunctionsProps) {
    super(scope, id);
    const role = new iam.Role(this, 'Role', {
      roleName: props.roleName,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    const bucket = s3.Bucket.fromBucketName(this, 'Bucket', props.bucket);
    acknowledgeContentAddressedCode(bucket);
    this.functions = props.names.map((names) => {
      const layer = props.layers.find(({ name }) => name === names.name) as ReleaseLayer;
      const example = props.examples.find(
        ({ runtime }) => runtime === layer.runtime,
      ) as ExampleRuntime;
      const logGroup = new logs.LogGroup(this, `${layer.name}-logs`, {
        logGroupName: `/aws/lambda/${names.functionName}`,
        retention: logs.RetentionDays.ONE_WEEK,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      const fn = new lambda.Function(this, layer.name, {
        functionName: names.functionName,
        description: `Smoke test of layer ${layer.name}`,
        runtime: lambda.Runtime.PROVIDED_AL2023,
        architecture:
          layer.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
        handler: example.handler,
        code: lambda.Code.fromBucketV2(bucket, exampleObjectKey(example.digest)),
        layers: [lambda.LayerVersion.fromLayerVersionArn(this, `${layer.name}-layer`, names.arn)],
        memorySize: example.memory,
        timeout: Duration.seconds(30),
        role,
        logGroup,
      });
      const version = props.layerVersions.get(layer.name);
      if (version) fn.node.addDependency(version);
      return fn;
    });
    const logStreams = props.names.map(({ functionName }) =>
      Stack.of(this).formatArn({
        service: 'logs',
        resource: 'log-group',
        resourceName: `/aws/lambda/${functionName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        partition: props.partition,
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: logStreams,
      }),
    );
    acknowledgeLogStreams(role, logStreams);
  }
}
