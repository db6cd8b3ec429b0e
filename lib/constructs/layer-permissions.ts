import { CfnDeletionPolicy, aws_lambda as lambda } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { SharingConfig } from '../config';
import type { TargetLayer } from '../release';

export interface LayerPermissionsProps {
  readonly layers: readonly TargetLayer[];
  readonly sharing: SharingConfig;
}

/**
 * Who may use the released layer versions.
 *
 * RETAINed like the versions themselves: whoever was given a layer keeps it
 * (https://github.com/aws/aws-cdk/issues/15524).
 */
export class LayerPermissions extends Construct {
  private readonly lastByLayer = new Map<string, lambda.CfnLayerVersionPermission>();

  constructor(scope: Construct, id: string, props: LayerPermissionsProps) {
    super(scope, id);
    for (const layer of props.layers) {
      for (const [key, grantee] of grantees(props.sharing)) {
        const permission = new lambda.CfnLayerVersionPermission(this, `${layer.name}-${key}`, {
          action: 'lambda:GetLayerVersion',
          layerVersionArn: layer.arn,
          ...grantee,
        });
        permission.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
        permission.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
        // Of statements that are added to one policy at once, Lambda may refuse or lose some.
        const before = this.lastOf(layer.name);
        if (before) permission.addResourceDependency(before);
        this.lastByLayer.set(layer.name, permission);
      }
    }
  }

  /** The permission on a layer that is granted after all others; undefined where none is. */
  lastOf(layerName: string): lambda.CfnLayerVersionPermission | undefined {
    return this.lastByLayer.get(layerName);
  }
}

type Grantee = Pick<lambda.CfnLayerVersionPermissionProps, 'principal' | 'organizationId'>;

function grantees(sharing: SharingConfig): [key: string, grantee: Grantee][] {
  switch (sharing.with) {
    case 'private':
      return [];
    case 'accounts':
      return sharing.accounts.map((account) => [account, { principal: account }]);
    case 'organization':
      return [[sharing.organizationId, { principal: '*', organizationId: sharing.organizationId }]];
    case 'public':
      return [['public', { principal: '*' }]];
  }
}
