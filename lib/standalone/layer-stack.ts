import { CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type BuiltLayer, RuntimeLayer } from '../constructs/runtime-layer';
import { pascalCase } from './names';

export interface RuntimeLayerStackProps extends StackProps {
  readonly build: BuiltLayer;
}

/** One layer in one account and region, for the person who deploys it. */
export class RuntimeLayerStack extends Stack {
  /**
   * The layer version's ARN for another stack. It is read from an output that this stack has in
   * any case, so that an example can be added to a layer that was deployed without one.
   */
  readonly arnForOthers: string;

  constructor(scope: Construct, id: string, props: RuntimeLayerStackProps) {
    const { manifest } = props.build;
    super(scope, id, {
      ...props,
      description: `Lambda layer: ${manifest.runtime} ${manifest.version} for ${manifest.architecture}`,
    });
    const layer = RuntimeLayer.fromBuild(this, 'Layer', props);
    const { logicalId } = new CfnOutput(this, 'LayerArn', {
      value: layer.arn,
      description: 'ARN of the layer version; it stays when the stack is destroyed',
    });
    new CfnOutput(this, 'LayerArch', { value: manifest.architecture });
    new CfnOutput(this, `${pascalCase(manifest.runtime)}Version`, { value: manifest.version });
    this.arnForOthers = Fn.getStackOutput(this.stackName, logicalId);
  }
}
