import { CfnDeletionPolicy, aws_lambda as lambda } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { layerObjectKey, type ReleaseLayer } from '../release';

export interface LayerVersionsProps {
  readonly layers: readonly ReleaseLayer[];
  /** Bucket in the stack's own region that holds the zips. */
  readonly bucket: string;
}

/**
 * The private layer versions of one target.
 *
 * The logical id carries the layer's name, so new content is a new resource and unchanged content
 * is no change. Plain RETAIN: a version number that was once handed out must never be deleted.
 */
export class LayerVersions extends Construct {
  /** Layer name to its resource. */
  readonly resources: ReadonlyMap<string, lambda.CfnLayerVersion>;

  constructor(scope: Construct, id: string, props: LayerVersionsProps) {
    super(scope, id);
    this.resources = new Map(
      props.layers.map((layer) => [layer.name, this.layerVersion(layer, props.bucket)]),
    );
  }

  private layerVersion(layer: ReleaseLayer, bucket: string): lambda.CfnLayerVersion {
    const resource = new lambda.CfnLayerVersion(this, layer.name, {
      layerName: layer.name,
      description: layer.description,
      licenseInfo: layer.license,
      compatibleArchitectures: [layer.architecture],
      compatibleRuntimes: [...layer.compatibleRuntimes],
      content: { s3Bucket: bucket, s3Key: layerObjectKey(layer.digest) },
    });
    resource.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
    resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    return resource;
  }
}
