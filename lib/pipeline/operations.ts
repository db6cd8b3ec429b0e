import {
  type aws_codepipeline as codepipeline,
  aws_events as events,
  aws_events_targets as targets,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeliveryPlan } from '../plan';
import { PipelineMonitoring } from './monitoring';
import { PipelineNotifications } from './notifications';

/** What a configuration asks for beside the pipeline: notifications, alarms, scheduled runs. */
export function addOperations(
  scope: Construct,
  pipeline: codepipeline.Pipeline,
  { name, notifications, monitoring, schedule }: DeliveryPlan,
): void {
  if (notifications) {
    const { emails } = notifications;
    // A pipeline starts as soon as it is made or changed: whoever is to hear of that comes first, and
    // what cannot be made must not have changed it.
    const resource = pipeline.node.defaultChild as codepipeline.CfnPipeline;
    const told = new PipelineNotifications(scope, 'Notifications', { pipelineName: name, emails });
    resource.node.addDependency(told);
    if (monitoring) {
      const watched = new PipelineMonitoring(scope, 'Monitoring', {
        pipelineName: name,
        notifications: told,
        dashboard: monitoring.dashboard,
      });
      resource.node.addDependency(watched);
    }
  }
  if (schedule) {
    new events.Rule(scope, 'Schedule', {
      description: `Runs pipeline ${name} without a push`,
      schedule: events.Schedule.expression(schedule),
      // With a role that may start this pipeline, and nothing else.
      targets: [new targets.CodePipeline(pipeline)],
    });
  }
}
