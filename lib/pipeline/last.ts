import { CfnResource, type aws_codepipeline as codepipeline, Stack } from 'aws-cdk-lib';

/**
 * Has CloudFormation make and change the pipeline after everything else of its stack.
 *
 * A pipeline starts when it is made and when it is changed. Made before its policies, it would run
 * without them, and before its notifications, unheard. Changed before a resource that fails, it would
 * be changed back, and so start again with the definition that has just failed to come in, and again
 * after that. Nothing of the stack may therefore refer to it.
 */
export function orderLast(pipeline: codepipeline.Pipeline): void {
  const resource = pipeline.node.defaultChild as codepipeline.CfnPipeline;
  const stack = Stack.of(pipeline);
  for (const each of stack.node.findAll()) {
    if (!CfnResource.isCfnResource(each) || each === resource || Stack.of(each) !== stack) continue;
    resource.addResourceDependency(each);
  }
}
