import {
  aws_codecommit as codecommit,
  aws_codepipeline as codepipeline,
  aws_events as events,
  Stack,
  aws_events_targets as targets,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeliveryPlan } from '../plan';

/**
 * Has EventBridge start the pipeline: at pushes to a CodeCommit repository, which no trigger of a
 * pipeline tells of, and at the configured times.
 *
 * The pipeline's ARN is put together, not referred to: all of this comes before the pipeline.
 */
export function addStarts(scope: Construct, { name, source, schedule }: DeliveryPlan): void {
  const arn = Stack.of(scope).formatArn({ service: 'codepipeline', resource: name });
  // With one role, which may start this pipeline, and nothing else.
  const target = new targets.CodePipeline(
    codepipeline.Pipeline.fromPipelineArn(scope, 'Started', arn),
  );
  if (!source.connectionArn) {
    const { repository, branch } = source;
    codecommit.Repository.fromRepositoryName(scope, 'Pushed', repository).onCommit('Push', {
      description: `Runs pipeline ${name} at a push`,
      branches: [branch],
      target,
    });
  }
  if (schedule) {
    new events.Rule(scope, 'Schedule', {
      description: `Runs pipeline ${name} without a push`,
      schedule: events.Schedule.expression(schedule),
      targets: [target],
    });
  }
}
