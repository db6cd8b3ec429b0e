import { type aws_codepipeline as codepipeline, Stack } from 'aws-cdk-lib';
import { type DeliveryPlan, planStages } from '../plan';

/** As `AWS::CodePipeline::Pipeline` writes it. */
const ON_FAILURE = {
  retry: { Result: 'RETRY', RetryConfiguration: { RetryMode: 'FAILED_ACTIONS' } },
  rollback: { Result: 'ROLLBACK' },
};

/** What CDK Pipelines has no property for: the plan's names, what a failure leads to, replacement. */
export function adjustStages(pipeline: codepipeline.Pipeline, plan: DeliveryPlan): void {
  const resource = pipeline.node.defaultChild as codepipeline.CfnPipeline;
  const rendered = Stack.of(pipeline).resolve(resource.stages) as { actions: { name: string }[] }[];
  planStages(plan).forEach(({ name, actions, onFailure }, stage) => {
    const override = (path: string, value: unknown) =>
      resource.addPropertyOverride(`Stages.${stage}.${path}`, value);
    // CDK names the stage of a single target after the target, and its actions after the stack.
    override('Name', name);
    if (onFailure) override('OnFailure', ON_FAILURE[onFailure]);
    rendered[stage].actions.forEach((action, at) => {
      const planned = actions.find((candidate) => candidate.name.endsWith(action.name));
      if (!planned) return;
      override(`Actions.${at}.Name`, planned.name);
      // CDK has every step wait for the wave's deployments; some deploy themselves.
      override(`Actions.${at}.RunOrder`, planned.runOrder);
      // A stack whose creation failed cannot be updated, and CDK Pipelines would leave it to a
      // person to delete it in every target. Layer versions survive: they are RETAINed.
      // Release stacks are not replaced: consumers would miss their parameters meanwhile.
      if (planned.kind === 'publish') {
        override(`Actions.${at}.Configuration.ActionMode`, 'REPLACE_ON_FAILURE');
      }
    });
  });
}
