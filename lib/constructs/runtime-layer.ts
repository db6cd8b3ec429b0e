import {
  CrossStackReferences,
  aws_lambda as lambda,
  ReferenceStrength,
  RemovalPolicy,
  aws_ssm as ssm,
  Token,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LayersError } from '../errors';
import { findRuntime, loadRuntimes } from '../layers';
import {
  ARCHITECTURES,
  type Architecture,
  type LayerManifest,
  layerArnFault,
  parseLayerArn,
  parseLayerName,
} from '../release';

/** A layer whose zip lies on this machine. */
export interface BuiltLayer {
  readonly manifest: LayerManifest;
  /** Path of the zip, as `manifest` describes it. */
  readonly zip: string;
}

export interface RuntimeLayerFromBuildProps {
  /** What `buildRuntimeLayer` answered, before the constructs were made. */
  readonly build: BuiltLayer;
}

export interface RuntimeLayerFromParameterProps {
  /** Runtime folder's name, `deno`. */
  readonly runtime: string;
  readonly architecture: Architecture;
  /**
   * Exact version, major version or `latest`: the last part of the parameter's name.
   *
   * @default latest
   */
  readonly version?: string;
  /**
   * Prefix of the delivery pipeline's parameters.
   *
   * @default /layers
   */
  readonly namespace?: string;
}

export interface RuntimeLayerFromArnProps {
  /** ARN of a layer version: it ends with the version's number. */
  readonly arn: string;
  /** Runtime folder's name, `deno`. */
  readonly runtime: string;
  readonly architecture: Architecture;
}

/**
 * A runtime as a Lambda layer: built here, or found through SSM Parameter Store or by its ARN.
 *
 * ```ts
 * const build = await buildRuntimeLayer({ runtime: 'deno', architecture: 'arm64' });
 * const layer = RuntimeLayer.fromBuild(stack, 'Deno', { build });
 * ```
 */
export class RuntimeLayer extends Construct {
  /**
   * Publishes a built layer with this stack.
   *
   * The layer version is RETAINed: functions of other stacks and accounts may use it for as long as
   * they like. Its logical id carries the layer's name, and with it the digest of its content, so
   * that new content is a new layer version beside the old one and unchanged content is no change.
   *
   * A function in another stack refers to it weakly (`Fn::GetStackOutput`): an export would lock
   * the layer against every update (https://github.com/aws/aws-cdk/issues/1972).
   *
   * @throws LayersError `InvalidLayer`
   */
  static fromBuild(scope: Construct, id: string, props: RuntimeLayerFromBuildProps): RuntimeLayer {
    const { manifest, zip } = props.build;
    // The type says it; JavaScript does not.
    if (!manifest) throw invalid('build is not what buildRuntimeLayer answers; await that first');
    return new RuntimeLayer(scope, id, manifest.runtime, manifest.architecture, (self) => {
      const layer = new lambda.LayerVersion(self, manifest.name, {
        layerVersionName: manifest.name,
        description: manifest.description,
        license: manifest.license,
        compatibleArchitectures: [lambdaArchitecture(manifest.architecture)],
        compatibleRuntimes: manifest.compatibleRuntimes.map(
          (name) => new lambda.Runtime(name, lambda.RuntimeFamily.OTHER),
        ),
        // The digest stands for the content: CDK need not read the zip for a hash of its own.
        code: lambda.Code.fromAsset(zip, { assetHash: manifest.digest }),
        removalPolicy: RemovalPolicy.RETAIN,
      });
      CrossStackReferences.of(layer).produce(ReferenceStrength.WEAK);
      return layer;
    });
  }

  /**
   * The layer that the delivery pipeline has released to this account and region. CloudFormation
   * reads the parameter at each deployment, so that a new release is used from the next one on.
   *
   * @throws LayersError `UnknownRuntime`, `InvalidLayer`
   */
  static fromParameter(
    scope: Construct,
    id: string,
    props: RuntimeLayerFromParameterProps,
  ): RuntimeLayer {
    const { runtime, architecture, version = 'latest', namespace = '/layers' } = props;
    if (!/^(\/[A-Za-z0-9_.-]+)+$/.test(namespace)) {
      throw invalid(`namespace "${namespace}" is not a parameter path; it looks like /layers`);
    }
    if (!/^(latest|\d+(\.\d+\.\d+)?)$/.test(version)) {
      throw invalid(`version "${version}" names no parameter; use latest, a major or 1.2.3`);
    }
    return new RuntimeLayer(scope, id, runtime, architecture, (self) => {
      const name = `${namespace}/${runtime}/${architecture}/${version}`;
      const arn = ssm.StringParameter.valueForStringParameter(self, name);
      return lambda.LayerVersion.fromLayerVersionArn(self, 'Version', arn);
    });
  }

  /**
   * A layer version that exists.
   *
   * @throws LayersError `UnknownRuntime`, `InvalidLayer`
   */
  static fromArn(scope: Construct, id: string, props: RuntimeLayerFromArnProps): RuntimeLayer {
    const { arn, runtime, architecture } = props;
    const fault = Token.isUnresolved(arn) ? undefined : layerArnFault(arn);
    if (fault !== undefined) throw invalid(`arn "${arn}" ${fault}`);
    const own = Token.isUnresolved(arn) ? undefined : parseLayerName(parseLayerArn(arn).name);
    if (own && own.architecture !== architecture && ARCHITECTURES.includes(architecture)) {
      throw invalid(
        `architecture "${architecture}" is not that of arn "${arn}"; write ${own.architecture}`,
      );
    }
    if (own && own.runtime !== findRuntime(runtime, loadRuntimes()).name) {
      throw invalid(`runtime "${runtime}" is not that of arn "${arn}"; write ${own.runtime}`);
    }
    return new RuntimeLayer(scope, id, runtime, architecture, (self) =>
      lambda.LayerVersion.fromLayerVersionArn(self, 'Version', arn),
    );
  }

  /** What a function attaches. */
  readonly version: lambda.ILayerVersion;

  private constructor(
    scope: Construct,
    id: string,
    /** Runtime folder's name, `deno`. */
    readonly runtime: string,
    readonly architecture: Architecture,
    version: (self: RuntimeLayer) => lambda.ILayerVersion,
  ) {
    if (!ARCHITECTURES.includes(architecture)) {
      throw invalid(`architecture "${architecture}" is unknown; use ${ARCHITECTURES.join(' or ')}`);
    }
    findRuntime(runtime, loadRuntimes());
    super(scope, id);
    this.version = version(this);
  }

  /** ARN of the layer version. */
  get arn(): string {
    return this.version.layerVersionArn;
  }
}

/** CDK's object for an architecture. */
export function lambdaArchitecture(architecture: Architecture): lambda.Architecture {
  return architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
}

function invalid(message: string): LayersError {
  return new LayersError('InvalidLayer', message);
}
