import { Aws, Stack, type StackProps, Stage, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { targetSynthesizer } from '../lib/pipeline/synthesizer';
import { type DeliveryPlan, type Location, planTarget } from '../lib/plan';
import type { ReleaseTarget } from '../lib/release';

export interface TargetStageProps {
  readonly plan: DeliveryPlan;
  readonly target: ReleaseTarget;
}

/** CloudFormation's own words for the place that it deploys to. */
const ANYWHERE: Location = {
  partition: Aws.PARTITION,
  account: Aws.ACCOUNT_ID,
  region: Aws.REGION,
};

/**
 * Stands for every target of a wave: one template is deployed to all of them, so that synthesis
 * does not grow with their number.
 */
export function anyTarget(plan: DeliveryPlan, wave: string): ReleaseTarget {
  return planTarget(plan, wave, ANYWHERE, plan.layers);
}

/** One stack for one target, or for any of a wave. */
export abstract class TargetStage extends Stage {
  constructor(scope: Construct, id: string, { target: { account, region } }: TargetStageProps) {
    super(scope, id, Token.isUnresolved(account) ? {} : { env: { account, region } });
  }

  /** The stack of the stage, for CDK's roles and bucket in the target. */
  protected stackFor(plan: DeliveryPlan, id: string, props: StackProps): Stack {
    return new Stack(this, id, {
      ...props,
      synthesizer: targetSynthesizer(plan),
      // CodePipeline takes templates of 512 KB.
      suppressTemplateIndentation: true,
    });
  }
}
