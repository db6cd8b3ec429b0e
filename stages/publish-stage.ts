import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ExampleFunctions, LayerVersions, SmokeAccess } from '../lib/constructs';
import { targetSynthesizer } from '../lib/pipeline/synthesizer';
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
    const stack = new Stack(this, 'Layers', {
      stackName: publishStackName(plan),
      description: 'Private Lambda layer versions and the functions that smoke-test them',
      synthesizer: targetSynthesizer(plan),
      // CodePipeline takes templates of 512 KB.
      suppressTemplateIndentation: true,
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
