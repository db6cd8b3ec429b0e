import type { Construct } from 'constructs';
import type { DeliveryPlan } from '../plan';
import { PipelineMonitoring } from './monitoring';
import { PipelineNotifications } from './notifications';

/** What a configuration asks for beside the pipeline: notifications and alarms. */
export function addOperations(
  scope: Construct,
  { name, notifications, monitoring }: DeliveryPlan,
): void {
  if (!notifications) return;
  const { emails } = notifications;
  const told = new PipelineNotifications(scope, 'Notifications', { pipelineName: name, emails });
  if (!monitoring) return;
  new PipelineMonitoring(scope, 'Monitoring', {
    pipelineName: name,
    notifications: told,
    dashboard: monitoring.dashboard,
  });
}
