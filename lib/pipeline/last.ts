import {
  type CfnResource,
  type aws_codepipeline as codepipeline,
  aws_iam as iam,
  Stack,
  aws_s3 as s3,
} from 'aws-cdk-lib';

/**
 * Has CloudFormation make and change the pipeline after every role and policy of its stack.
 *
 * A pipeline starts when it is made and when it is changed. Made before the policies, it would run
 * without them. Changed before one that fails, it would be changed back, and so start again with the
 * definition that has just failed to come in, and again after that.
 */
export function orderLast(pipeline: codepipeline.Pipeline): void {
  const resource = pipeline.node.defaultChild as codepipeline.CfnPipeline;
  const stack = Stack.of(pipeline);
  // Inside lie the policies of its own role, which it waits for, and of those that may start it.
  const inside = `${pipeline.node.path}/`;
  const before = stack.node
    .findAll()
    .filter((each) => {
      if (each instanceof iam.CfnPolicy) return !each.node.path.startsWith(inside);
      return each instanceof iam.CfnRole || each instanceof s3.CfnBucketPolicy;
    })
    .filter((each) => Stack.of(each) === stack);
  for (const each of before) resource.addResourceDependency(each as CfnResource);
}
