import {
  aws_codepipeline_actions as actions,
  aws_codecommit as codecommit,
  type aws_codepipeline as codepipeline,
  aws_iam as iam,
} from 'aws-cdk-lib';
import { CodePipelineSource } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import type { DeliveryPlan } from '../plan';

/** Where pushes come from: GitHub through a connection, or a CodeCommit repository of home. */
export function pipelineSource(scope: Construct, { source }: DeliveryPlan): CodePipelineSource {
  const { connectionArn, repository, branch } = source;
  if (connectionArn) {
    return CodePipelineSource.connection(repository, branch, {
      connectionArn,
      actionName: 'Source',
      // The trigger of connectSource decides, with its path filters.
      triggerOnPush: false,
    });
  }
  const repo = codecommit.Repository.fromRepositoryName(scope, 'Repository', repository);
  return CodePipelineSource.codeCommit(repo, branch, {
    actionName: 'Source',
    // The rule of addStarts starts it.
    trigger: actions.CodeCommitTrigger.NONE,
  });
}

/**
 * What CDK Pipelines lacks for a connection: trigger filters
 * (https://github.com/aws/aws-cdk/issues/35379), and the permission under the name that AWS asks
 * for, the one that the connection's ARN begins with.
 */
export function connectSource(
  pipeline: codepipeline.Pipeline,
  plan: DeliveryPlan,
  connectionArn: string,
): void {
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
  pipeline.addToRolePolicy(
    new iam.PolicyStatement({
      actions: ['codeconnections:UseConnection'],
      resources: [connectionArn],
    }),
  );
}
