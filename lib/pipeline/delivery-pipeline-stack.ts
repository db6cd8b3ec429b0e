import {
  Annotations,
  aws_codepipeline as codepipeline,
  Duration,
  aws_iam as iam,
  aws_kms as kms,
  aws_logs as logs,
  RemovalPolicy,
  Stack,
  aws_s3 as s3,
} from 'aws-cdk-lib';
import { CodePipeline, CodePipelineSource, ManualApprovalStep } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { PublishStage } from '../../stages/publish-stage';
import { ReleaseStage } from '../../stages/release-stage';
import type { Overrides } from '../config';
import { type DeliveryPlan, publishRoleName, smokeRoleName } from '../plan';
import { acknowledgePipelineFindings } from './acknowledgements';
import { approvalComment, buildStep, publishStep, smokeStep, synthStep } from './steps';
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

/**
 * The self-mutating delivery pipeline:
 * source, native builds, synth, self-mutation, publishing of zips, then for each wave
 * approval, publish stages, smoke test and release stages.
 */
export class DeliveryPipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: DeliveryPipelineStackProps) {
    const { plan, overrides = {}, refusals = [] } = props;
    super(scope, id, {
      stackName: `${plan.name}-delivery`,
      description: 'Builds Lambda runtime layers and delivers them to every target',
      env: { account: plan.home.account, region: plan.home.region },
      synthesizer: targetSynthesizer(plan),
    });
    for (const refusal of refusals) Annotations.of(this).addError(refusal);

    const source = CodePipelineSource.connection(plan.source.repository, plan.source.branch, {
      connectionArn: plan.source.connectionArn,
      actionName: 'Source',
      // The trigger below decides, with its path filters.
      triggerOnPush: false,
    });
    const builds = plan.architectures.map((architecture) =>
      buildStep(source, architecture, overrides),
    );
    const synth = synthStep(source, builds, overrides);
    const artifacts = this.artifactBucket();
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
      codeBuildDefaults: { logging: { cloudWatch: { logGroup: this.logGroup(plan) } } },
    });

    const publishRole = this.toolRole(
      publishRoleName(plan),
      plan.waves.flatMap(({ targets }) => targets.map(({ publishRoleArn }) => publishRoleArn)),
    );
    pipeline.addWave('Publish', { pre: [publishStep(synth.release, builds, publishRole)] });
    for (const wave of plan.waves) {
      if (wave.targets.length === 0) continue;
      const smokeRole = this.toolRole(
        smokeRoleName(plan, wave.name),
        wave.targets.map(({ smokeRoleArn }) => smokeRoleArn),
      );
      const publish = pipeline.addWave(`${wave.name}-publish`, {
        pre: wave.approval
          ? [
              new ManualApprovalStep(`Approve-${wave.name}`, {
                comment: approvalComment(wave),
              }),
            ]
          : [],
        post: [smokeStep(synth.release, wave.name, smokeRole)],
      });
      const release = pipeline.addWave(`${wave.name}-release`);
      for (const target of wave.targets) {
        const place = `${target.account}-${target.region}`;
        publish.addStage(new PublishStage(this, `publish-${place}`, { plan, target }));
        release.addStage(new ReleaseStage(this, `release-${place}`, { plan, target }));
      }
    }
    pipeline.buildPipeline();
    this.addTrigger(pipeline.pipeline, plan);
    this.replaceFailedPublishStacks(pipeline.pipeline);
    this.permitConnection(pipeline.pipeline, plan);
    for (const { replicationBucket } of Object.values(pipeline.pipeline.crossRegionSupport)) {
      (replicationBucket as s3.Bucket).addLifecycleRule(ARTIFACT_EXPIRY);
    }
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

  /** Role of a tool's CodeBuild project: named, because the targets trust it by name. */
  private toolRole(roleName: string, assumable: readonly string[]): iam.Role {
    const role = new iam.Role(this, roleName, {
      roleName,
      assumedBy: new iam.ServicePrincipal('codebuild.amazonaws.com'),
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'EnterTargets',
        actions: ['sts:AssumeRole'],
        resources: [...assumable],
      }),
    );
    return role;
  }

  /** CDK Pipelines has no trigger filters (https://github.com/aws/aws-cdk/issues/35379). */
  private addTrigger(pipeline: codepipeline.Pipeline, plan: DeliveryPlan): void {
    const { branch, paths } = plan.source;
    const filePaths = {
      ...(paths.include.length > 0 ? { Includes: paths.include } : {}),
      ...(paths.exclude.length > 0 ? { Excludes: paths.exclude } : {}),
    };
    (pipeline.node.defaultChild as codepipeline.CfnPipeline).addPropertyOverride('Triggers', [
      {
        ProviderType: 'CodeStarSourceConnection',
        GitConfiguration: {
          SourceActionName: 'Source',
          Push: [
            {
              Branches: { Includes: [branch] },
              ...(Object.keys(filePaths).length > 0 ? { FilePaths: filePaths } : {}),
            },
          ],
        },
      },
    ]);
  }

  /**
   * CDK grants the action's name of old, AWS asks for the one that the connection's ARN begins with.
   */
  private permitConnection(pipeline: codepipeline.Pipeline, plan: DeliveryPlan): void {
    pipeline.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['codeconnections:UseConnection'],
        resources: [plan.source.connectionArn],
      }),
    );
  }

  /**
   * A stack whose creation failed cannot be updated, and CDK Pipelines would leave it to a person
   * to delete it in every target. Layer versions survive the replacement: they are RETAINed.
   * Release stacks are not replaced: consumers would miss their parameters meanwhile.
   */
  private replaceFailedPublishStacks(pipeline: codepipeline.Pipeline): void {
    const resource = pipeline.node.defaultChild as codepipeline.CfnPipeline;
    const stages = this.resolve(resource.stages) as {
      actions: { name: string; actionTypeId: { provider: string } }[];
    }[];
    stages.forEach(({ actions }, stage) => {
      actions.forEach(({ name, actionTypeId }, action) => {
        if (actionTypeId.provider !== 'CloudFormation' || !name.startsWith('publish-')) return;
        resource.addPropertyOverride(
          `Stages.${stage}.Actions.${action}.Configuration.ActionMode`,
          'REPLACE_ON_FAILURE',
        );
      });
    });
  }
}
