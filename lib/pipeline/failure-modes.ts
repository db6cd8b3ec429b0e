import type { aws_codepipeline as codepipeline } from 'aws-cdk-lib';
import { type DeliveryPlan, planStages } from '../plan';

/** As `AWS::CodePipeline::Pipeline` writes it. */
const ON_FAILURE = {
  retry: { Result: 'RETRY', RetryConfiguration: { RetryMode: 'FAILED_ACTIONS' } },
  rollback: { Result: 'ROLLBACK' },
};

/** CDK Pipelines has no property for what a failure of a stage leads to. */
export function setFailureModes(pipeline: codepipeline.Pipeline, plan: DeliveryPlan): void {
  const resource = pipeline.node.defaultChild as codepipeline.CfnPipeline;
  planStages(plan).forEach(({ onFailure }, stage) => {
    if (!onFailure) return;
    resource.addPropertyOverride(`Stages.${stage}.OnFailure`, ON_FAILURE[onFailure]);
  });
}
