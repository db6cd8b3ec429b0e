import { aws_ssm as ssm } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PARAMETERS_AT_A_TIME, type ParameterPlan } from '../plan';
import type { LayerPermissions } from './layer-permissions';

export interface ReleaseParametersProps {
  /** Prefix of all names; logical ids are made of what follows it. */
  readonly namespace: string;
  readonly parameters: readonly ParameterPlan[];
  /** Granted before a parameter points at the layer: nobody shall find what they may not use. */
  readonly permissions: LayerPermissions;
}

/**
 * The SSM parameters of one target, tagged in place of the tags that layer versions cannot have.
 *
 * Deleted with the configuration that named them, not retained: CloudFormation refuses to create a
 * parameter that exists, so a retained one would block the way back to an older commit.
 */
export class ReleaseParameters extends Construct {
  constructor(scope: Construct, id: string, props: ReleaseParametersProps) {
    super(scope, id);
    const written: ssm.CfnParameter[] = [];
    for (const { name, value, description, layer } of props.parameters) {
      const parameter = new ssm.CfnParameter(this, name.slice(props.namespace.length + 1), {
        name,
        type: 'String',
        value,
        description,
        tags: {
          runtime: layer.runtime,
          version: layer.version,
          architecture: layer.architecture,
          digest: layer.digest,
          layer: layer.name,
        },
      });
      const granted = props.permissions.lastOf(layer.name);
      if (granted) parameter.addResourceDependency(granted);
      const before = written.at(-PARAMETERS_AT_A_TIME);
      if (before) parameter.addResourceDependency(before);
      written.push(parameter);
    }
  }
}
