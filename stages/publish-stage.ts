import type { Construct } from 'constructs';
import { ExampleFunctions, LayerVersions, SmokeAccess } from '../lib/constructs';
import {
  exampleRoleName,
  locate,
  publishStackName,
  roleArn,
  smokeRoleName,
  targetSmokeRoleName,
} from '../lib/plan';
import { TargetStage, type TargetStageProps } from './target-stage';

/** Private layer versions and their example functions, in one target. Nobody can use them yet. */
export class PublishStage extends TargetStage {
  constructor(scope: Construct, id: string, props: TargetStageProps) {
    super(scope, id, props);
    const { plan, target } = props;
    const { region } = target;
    const stack = this.stackFor(plan, 'Layers', {
      stackName: publishStackName(plan),
      description: 'Private Lambda layer versions and the functions that smoke-test them',
    });
    const versions = new LayerVersions(stack, 'Versions', {
      layers: plan.layers,
      bucket: target.bucket,
    });
    const examples = new ExampleFunctions(stack, 'Examples', {
      layers: plan.layers,
      names: target.layers,
      partition: target.partition,
      examples: plan.examples,
      bucket: target.bucket,
      roleName: exampleRoleName(plan, region),
      layerVersions: versions.resources,
    });
    new SmokeAccess(stack, 'SmokeAccess', {
      roleName: targetSmokeRoleName(plan, region),
      trustedRoleArn: roleArn(locate(plan.home), smokeRoleName(plan, target.wave)),
      layers: target.layers,
      functionArns: examples.functions.map(({ functionArn }) => functionArn),
    });
  }
}
