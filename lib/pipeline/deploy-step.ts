import { relative } from 'node:path';
import {
  type App,
  aws_codepipeline_actions as actions,
  CfnCapabilities,
  type aws_codepipeline as codepipeline,
  aws_iam as iam,
  Stack,
  type Stage,
} from 'aws-cdk-lib';
import {
  type CodePipelineActionFactoryResult,
  type FileSet,
  type ICodePipelineActionFactory,
  type ProduceActionOptions,
  Step,
} from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { deployRoleArn, executionRoleArn, type Naming } from '../plan';
import type { ReleaseTarget } from '../release';

/** A template of the cloud assembly, and the name of the stack that it makes. */
export interface SharedTemplate {
  readonly stackName: string;
  /** Path in the cloud assembly, with forward slashes. */
  readonly path: string;
}

/** The template of a stage's only stack. */
export function templateOf(stage: Stage): SharedTemplate {
  const root = (stage.node.root as App).outdir;
  const [stack] = stage.synth().stacks;
  return {
    stackName: stack.stackName,
    path: relative(root, stack.templateFullPath).replaceAll('\\', '/'),
  };
}

export interface DeployStepProps {
  readonly naming: Naming;
  readonly target: ReleaseTarget;
  readonly assembly: FileSet;
  readonly template: SharedTemplate;
  /**
   * Whether the template makes roles.
   * @default false
   */
  readonly makesRoles?: boolean;
  /**
   * Whether a stack whose creation failed is deleted and made anew.
   * @default false
   */
  readonly replaceOnFailure?: boolean;
}

/**
 * Deploys a template to one target, through CDK's bootstrap roles there.
 *
 * CDK Pipelines has a stage, a stack and a template for every deployment; here the targets of a
 * wave share theirs.
 */
export class DeployStep extends Step implements ICodePipelineActionFactory {
  constructor(
    private readonly name: string,
    private readonly props: DeployStepProps,
  ) {
    super(name);
    this.addDependencyFileSet(props.assembly);
  }

  produceAction(
    stage: codepipeline.IStage,
    { pipeline, artifacts, runOrder }: ProduceActionOptions,
  ): CodePipelineActionFactoryResult {
    const { naming, target, assembly, template, makesRoles, replaceOnFailure } = this.props;
    stage.addAction(
      new actions.CloudFormationCreateUpdateStackAction({
        actionName: this.name,
        runOrder,
        region: target.region === Stack.of(pipeline).region ? undefined : target.region,
        stackName: template.stackName,
        templatePath: artifacts.toCodePipeline(assembly).atPath(template.path),
        adminPermissions: true,
        role: importedRole(pipeline, target, deployRoleArn(naming, target)),
        deploymentRole: importedRole(pipeline, target, executionRoleArn(naming, target)),
        cfnCapabilities: [makesRoles ? CfnCapabilities.NAMED_IAM : CfnCapabilities.NONE],
        replaceOnFailure,
      }),
    );
    return { runOrdersConsumed: 1 };
  }
}

/** A role that is not ours to change. */
function importedRole(scope: Construct, { account }: ReleaseTarget, arn: string): iam.IRole {
  const existing = scope.node.tryFindChild(arn);
  if (existing) return existing as Construct & iam.IRole;
  const here = Stack.of(scope).account;
  if (account === here) {
    return iam.Role.fromRoleArn(scope, arn, arn, { mutable: false, addGrantsToResources: true });
  }
  const role = iam.Role.fromRoleArn(scope, arn, arn, { mutable: false });
  // CDK makes a role that it knows to be foreign a principal; see `admitDeployRoles`.
  return Object.defineProperty(role, 'principalAccount', { value: here });
}
