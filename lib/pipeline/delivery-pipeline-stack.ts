import {
  Annotations,
  aws_codepipeline as codepipeline,
  Duration,
  type aws_iam as iam,
  aws_kms as kms,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
  aws_s3 as s3,
} from 'aws-cdk-lib';
import { CodePipeline, type FileSet, ManualApprovalStep } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { PublishStage } from '../../stages/publish-stage';
import { ReleaseStage } from '../../stages/release-stage';
import { anyTarget } from '../../stages/target-stage';
import type { Overrides } from '../config';
import {
  buildsNatively,
  type DeliveryPlan,
  deploymentName,
  preflightRoleName,
  publishRoleName,
  type RemoteDeployment,
  remoteRoleArns,
  type Step,
  smokeRoleName,
  type WavePlan,
} from '../plan';
import { acknowledgePipelineFindings } from './acknowledgements';
import { admitDeployRoles } from './artifact-access';
import { BuildRoles } from './build-roles';
import { DeployStep, type DeployStepProps, templateOf } from './deploy-step';
import { setFailureModes } from './failure-modes';
import { orderLast } from './last';
import { addOperations } from './operations';
import { writeRemoteAssembly } from './remote-assembly';
import { connectSource, pipelineSource } from './source';
import { addStarts } from './starts';
import {
  approvalComment,
  buildStep,
  type LayerBuild,
  NODE,
  preflightStep,
  publishStep,
  remoteDeployStep,
  smokeStep,
  synthStep,
} from './steps';
import { targetSynthesizer } from './synthesizer';

export interface DeliveryPipelineStackProps {
  readonly plan: DeliveryPlan;
  /** Single values that `-c` set; the pipeline's own synth gets them too. @default none */
  readonly overrides?: Overrides;
  /** Sentences that a deployment is refused with. @default none */
  readonly refusals?: readonly string[];
}

/** The CDK CLI and asset publisher that the pipeline installs; `latest` has been a wrong release. */
const CDK_CLI_VERSION = '2.1148.1';
const CDK_ASSETS_VERSION = '4.7.3';

/** Artifacts are intermediate: what is released lies in the targets' own buckets. */
const ARTIFACT_EXPIRY: s3.LifecycleRule = {
  expiration: Duration.days(30),
  abortIncompleteMultipartUploadAfter: Duration.days(1),
};

/** What a stack is deployed for. */
type Deployment = 'publish' | 'release';

/** What the actions that follow synth work with. */
interface Made {
  readonly release: FileSet;
  readonly assembly: FileSet;
  readonly roles: BuildRoles;
}

/**
 * The self-mutating delivery pipeline:
 * source, native builds, synth, self-mutation, preflight, publishing of zips, then for each wave
 * approval, publish steps, smoke test and release steps.
 */
export class DeliveryPipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: DeliveryPipelineStackProps) {
    const { plan, overrides = {}, refusals = [] } = props;
    super(scope, id, {
      stackName: `${plan.name}-delivery`,
      description: 'Builds Lambda runtime layers and delivers them to every target',
      env: { account: plan.home.account, region: plan.home.region },
      synthesizer: targetSynthesizer(plan),
      // A third of the template's bytes, of which CloudFormation takes a limited number.
      suppressTemplateIndentation: true,
    });
    for (const refusal of refusals) Annotations.of(this).addError(refusal);

    const artifacts = this.artifactBucket();
    const logGroup = this.logGroup(plan);
    const roles = new BuildRoles(this, artifacts, logGroup);
    const source = pipelineSource(this, plan);
    const builds = plan.architectures.map((architecture) =>
      buildStep(
        source,
        architecture,
        overrides,
        roles.create(`Build-${architecture}-role`, { writesArtifacts: true }),
        buildsNatively(plan, architecture),
      ),
    );
    const synth = synthStep(
      source,
      builds,
      overrides,
      roles.create('Synth-role', { writesArtifacts: true }),
    );
    const pipeline = new CodePipeline(this, 'Pipeline', {
      pipelineName: plan.name,
      pipelineType: codepipeline.PipelineType.V2,
      executionMode: codepipeline.ExecutionMode.QUEUED,
      synth: synth.step,
      artifactBucket: artifacts,
      crossAccountKeys: true,
      enableKeyRotation: true,
      usePipelineRoleForActions: true,
      useChangeSets: false,
      publishAssetsInParallel: false,
      cliVersion: CDK_CLI_VERSION,
      cdkAssetsCliVersion: CDK_ASSETS_VERSION,
      codeBuildDefaults: { logging: { cloudWatch: { logGroup } } },
      selfMutationCodeBuildDefaults: { partialBuildSpec: NODE },
    });

    const assembly = synth.step.primaryOutput as FileSet;
    const made = { release: synth.release, assembly, roles };
    this.addPublish(pipeline, plan, made, builds);
    for (const wave of plan.waves) this.addWave(pipeline, plan, wave, made);
    pipeline.buildPipeline();
    if (plan.source.connectionArn)
      connectSource(pipeline.pipeline, plan, plan.source.connectionArn);
    setFailureModes(pipeline.pipeline, plan);
    const targetsIn = (here: string) =>
      plan.waves.flatMap(({ targets }) => targets.filter(({ region }) => region === here));
    admitDeployRoles(artifacts, plan, targetsIn(plan.home.region));
    for (const [region, support] of Object.entries(pipeline.pipeline.crossRegionSupport)) {
      const replica = support.replicationBucket as s3.Bucket;
      replica.addLifecycleRule(ARTIFACT_EXPIRY);
      // Its name is fixed: one that a failed deployment left behind would stop the next one.
      replica.applyRemovalPolicy(RemovalPolicy.DESTROY);
      admitDeployRoles(replica, plan, targetsIn(region));
    }
    addOperations(this, plan);
    addStarts(this, plan);
    orderLast(pipeline.pipeline);
    acknowledgePipelineFindings(this, pipeline, artifacts);
  }

  /** Artifacts are intermediate: readable in the accounts of the pipeline, gone after 30 days. */
  private artifactBucket(): s3.Bucket {
    const key = new kms.Key(this, 'ArtifactKey', {
      description: 'Encrypts the artifacts of the layer delivery pipeline',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return new s3.Bucket(this, 'Artifacts', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [ARTIFACT_EXPIRY],
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  private logGroup(plan: DeliveryPlan): logs.LogGroup {
    return new logs.LogGroup(this, 'Logs', {
      logGroupName: `/layers-delivery/${plan.name}`,
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** Nothing is sent anywhere before every target has been asked. */
  private addPublish(
    pipeline: CodePipeline,
    plan: DeliveryPlan,
    { release, roles }: Made,
    builds: readonly LayerBuild[],
  ): void {
    const targets = plan.waves.flatMap((wave) => wave.targets);
    const publishRoles = targets.map(({ publishRoleArn }) => publishRoleArn);
    const preflight = preflightStep(
      release,
      namedRole(roles, preflightRoleName(plan), [
        ...targets.map(({ lookupRoleArn }) => lookupRoleArn),
        ...publishRoles,
      ]),
    );
    const publish = publishStep(
      release,
      builds,
      namedRole(roles, publishRoleName(plan), publishRoles),
    );
    publish.addStepDependency(preflight);
    pipeline.addWave('Publish', { pre: [preflight, publish] });
  }

  /** One CodePipeline stage a step: a wave of CDK Pipelines is a stage. */
  private addWave(
    pipeline: CodePipeline,
    plan: DeliveryPlan,
    wave: WavePlan,
    { release, assembly, roles }: Made,
  ): void {
    const { steps } = wave;
    if (!steps) return;
    const smokeRole = namedRole(
      roles,
      smokeRoleName(plan, wave.name),
      wave.targets.map(({ smokeRoleArn }) => smokeRoleArn),
    );
    if (steps.approvalStage) {
      pipeline.addWave(steps.approvalStage, {
        pre: [new ManualApprovalStep(`Approve-${wave.name}`, { comment: approvalComment(wave) })],
      });
    }
    const target = anyTarget(plan, wave.name);
    // With a character that no configured name has: `publish-<wave>` may also be the id of a role.
    const stages = {
      publish: new PublishStage(this, `publish_${wave.name}`, { plan, target }),
      release: new ReleaseStage(this, `release_${wave.name}`, { plan, target }),
    };
    const deployRemotely = (kind: Deployment, deployment: RemoteDeployment | undefined) => {
      if (!deployment) return [];
      const { action, targets } = deployment;
      writeRemoteAssembly({
        name: action,
        stage: stages[kind],
        targets,
        nameOf: (target) => deploymentName(kind, target),
      });
      const role = roles.create(`${action}-role`, { assumable: remoteRoleArns(plan, deployment) });
      return [remoteDeployStep(action, assembly, CDK_CLI_VERSION, targets.length, role)];
    };
    const deploy = (
      kind: Deployment,
      { targets }: Step,
      props: Pick<DeployStepProps, 'makesRoles' | 'replaceOnFailure'> = {},
    ) => {
      const template = templateOf(stages[kind]);
      return targets.map(
        (target) =>
          new DeployStep(deploymentName(kind, target), {
            naming: plan,
            assembly,
            target,
            template,
            ...props,
          }),
      );
    };
    for (const step of steps.publish) {
      const { stage, remote, smoke } = step;
      const deploying = [
        // A stack whose creation failed cannot be updated, and a person would have to delete it in
        // every target. Layer versions survive: they are RETAINed.
        ...deploy('publish', step, { makesRoles: true, replaceOnFailure: true }),
        ...deployRemotely('publish', remote),
      ];
      const testing = smoke ? [smokeStep(release, wave, smoke, smokeRole)] : [];
      for (const test of testing) for (const before of deploying) test.addStepDependency(before);
      pipeline.addWave(stage, { pre: [...deploying, ...testing] });
    }
    for (const step of steps.release) {
      const { stage, remote } = step;
      pipeline.addWave(stage, {
        pre: [
          // Never replaced: consumers would miss their parameters meanwhile.
          ...deploy('release', step),
          ...deployRemotely('release', remote),
        ],
      });
    }
  }
}

/** Role of a tool's CodeBuild project: named, because the targets trust it by name. */
function namedRole(roles: BuildRoles, roleName: string, assumable: readonly string[]): iam.IRole {
  return roles.create(roleName, { roleName, assumable });
}
