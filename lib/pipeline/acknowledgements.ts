import {
  Annotations,
  type CfnElement,
  Stack,
  type aws_s3 as s3,
  Tokenization,
  Validations,
} from 'aws-cdk-lib';
import type { CodePipeline } from 'aws-cdk-lib/pipelines';
import type { IConstruct } from 'constructs';
import { partitionOf } from '../config';
import { locate } from '../plan';

/** Acknowledges one finding below a construct, by its whole id, so that any other still fails. */
function acknowledge(scope: IConstruct, id: string, reason: string): void {
  Validations.of(scope).acknowledge({ id: `AwsSolutions::AwsSolutions-${id}`, reason });
}

const wildcardAction = (action: string) => `IAM5[Action::${action}]`;
const wildcardResource = (resource: string) => `IAM5[Resource::${resource}]`;

function logicalId(construct: IConstruct): string {
  return Stack.of(construct).resolve((construct.node.defaultChild as CfnElement).logicalId);
}

/** CDK's own grants on the artifact bucket and its key, to the two roles that only CDK can make. */
const ARTIFACT_GRANTS: Record<string, string> = {
  's3:Abort*': 'Aborting is one action, AbortMultipartUpload, that CDK grants by prefix',
  's3:DeleteObject*':
    'CDK grants read and write of artifacts by prefix; the resource is the artifact bucket alone',
  's3:GetBucket*': 'Reads the location and settings of the artifact bucket, no other bucket',
  's3:GetObject*': 'Reads artifacts and their versions in the artifact bucket, no other bucket',
  's3:List*': 'Lists the artifact bucket, no other bucket',
  'kms:GenerateDataKey*':
    'Encrypts artifacts with the artifact key, with and without the plaintext form',
  'kms:ReEncrypt*': 'Re-encrypts artifacts under the artifact key, from and to it',
};

/**
 * Every cdk-nag finding that the delivery pipeline keeps, each with its reason.
 *
 * @param pipelineStack stack of the finished pipeline
 * @param pipeline the built pipeline
 * @param artifacts the artifact bucket
 */
export function acknowledgePipelineFindings(
  pipelineStack: Stack,
  pipeline: CodePipeline,
  artifacts: s3.Bucket,
): void {
  for (const [action, reason] of Object.entries(ARTIFACT_GRANTS)) {
    acknowledge(pipeline.pipeline.role, wildcardAction(action), reason);
    acknowledge(pipeline.selfMutationProject, wildcardAction(action), reason);
  }
  acknowledge(
    pipelineStack,
    wildcardResource(`<${logicalId(artifacts)}.Arn>/*`),
    'Artifact keys are made up by CodePipeline at run time; only the artifact bucket is named',
  );
  acknowledgeSelfMutation(pipeline);
  acknowledge(
    pipeline.pipeline.role,
    wildcardResource('*'),
    'Keys of the artifact replicas live in stacks of other regions and are not known here; the key policies there name this role',
  );
  acknowledge(
    pipelineStack,
    'S1',
    'Artifacts live 30 days and are read through a key whose every use CloudTrail records; an access log would only repeat that',
  );
  for (const { stack, replicationBucket } of Object.values(pipeline.pipeline.crossRegionSupport)) {
    acknowledge(
      stack,
      'S1',
      'A replica of artifacts that the home region already accounts for; CloudTrail records the use of its key',
    );
    acknowledge(
      pipelineStack,
      wildcardResource(
        `arn:${partitionOf(stack.region)}:s3:::${pipelineStack.resolve(replicationBucket.bucketName)}/*`,
      ),
      'Artifact keys are made up by CodePipeline at run time; only the replica bucket is named',
    );
  }
}

/** CDK's self-mutation project assumes bootstrap roles, which it picks out by their tag. */
function acknowledgeSelfMutation(pipeline: CodePipeline): void {
  const project = pipeline.selfMutationProject;
  const { account, partition, region } = locate(Stack.of(project));
  const id = logicalId(project);
  acknowledge(
    project,
    wildcardResource(`arn:${partition}:codebuild:${region}:${account}:report-group/<${id}>-*`),
    'Report groups take the name of the project as their prefix; CodeBuild adds the rest',
  );
  acknowledge(
    project,
    wildcardResource(
      `arn:${partition}:logs:${region}:${account}:log-group:/aws/codebuild/<${id}>:*`,
    ),
    'Log streams are named by CodeBuild at run time; only the log group of the project is named',
  );
  acknowledge(
    project,
    wildcardResource(`arn:*:iam::${account}:role/*`),
    'Limited by condition to the bootstrap roles of the home account (tag aws-cdk:bootstrap-role)',
  );
  acknowledge(
    project,
    wildcardResource('*'),
    'cloudformation:DescribeStacks and s3:ListBucket, granted by CDK before the bootstrap stack is known; both only read',
  );
}

/** The role of the example functions writes to log streams of their own log groups. */
export function acknowledgeLogStreams(role: IConstruct, arns: readonly string[]): void {
  for (const arn of arns) {
    acknowledge(
      role,
      wildcardResource(asReported(role, arn)),
      'Log streams are named by Lambda at run time; only the log group of the function is named',
    );
  }
}

/** cdk-nag writes what CloudFormation fills in as `<AWS::Region>`. */
function asReported(scope: IConstruct, text: string): string {
  return Tokenization.reverseString(text)
    .mapTokens({ mapToken: (token) => `<${Stack.of(scope).resolve(token).Ref}>` })
    .join({ join: (left = '', right = '') => `${left}${right}` });
}

/** The key is the digest of the content, so the object under it never changes. */
export function acknowledgeContentAddressedCode(bucket: IConstruct): void {
  Annotations.of(bucket).acknowledgeWarning(
    '@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified',
    'The object key is the digest of the code, so new code is a new key',
  );
}
