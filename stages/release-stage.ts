import { Stack, Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { LayerPermissions, ReleaseParameters } from '../lib/constructs';
import { targetSynthesizer } from '../lib/pipeline/synthesizer';
import { planParameters } from '../lib/plan';
import type { TargetStageProps } from './publish-stage';

/**
 * Permissions and SSM parameters of one target, and nothing else: going back to the previous
 * template is a complete rollback.
 */
export class ReleaseStage extends Stage {
  constructor(scope: Construct, id: string, { plan, target }: TargetStageProps) {
    const { account, region } = target;
    super(scope, id, { env: { account, region } });
    const stack = new Stack(this, 'Release', {
      stackName: `${plan.name}-release`,
      description: 'Permissions and SSM parameters of released Lambda layer versions',
      synthesizer: targetSynthesizer(plan),
    });
    const permissions = new LayerPermissions(stack, 'Permissions', {
      layers: target.layers,
      sharing: plan.sharing,
    });
    new ReleaseParameters(stack, 'Parameters', {
      namespace: plan.namespace,
      parameters: planParameters(plan.namespace, account, region, plan.layers),
      permissions,
    });
  }
}
