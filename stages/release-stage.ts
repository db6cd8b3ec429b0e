import type { Construct } from 'constructs';
import { LayerPermissions, ReleaseParameters } from '../lib/constructs';
import { planParameters, releaseStackName } from '../lib/plan';
import { TargetStage, type TargetStageProps } from './target-stage';

/**
 * Permissions and SSM parameters of a target, and nothing else: going back to the previous
 * template is a complete rollback.
 */
export class ReleaseStage extends TargetStage {
  constructor(scope: Construct, id: string, props: TargetStageProps) {
    super(scope, id, props);
    const { plan, target } = props;
    const stack = this.stackFor(plan, 'Release', {
      stackName: releaseStackName(plan),
      description: 'Permissions and SSM parameters of released Lambda layer versions',
    });
    const permissions = new LayerPermissions(stack, 'Permissions', {
      layers: target.layers,
      sharing: plan.sharing,
    });
    new ReleaseParameters(stack, 'Parameters', {
      namespace: plan.namespace,
      parameters: planParameters(plan.namespace, target, plan.layers),
      permissions,
    });
  }
}
