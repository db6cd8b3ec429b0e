import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Capability,
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  type Stack,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { writeZip } from '../../../archive';
import { LayersError } from '../../../errors';
import type { Artifact } from '../model';
import type { ActionContext, ActionProvider, ActionResult } from './provider';
import { describeStack, isMissing, pollDelay, StackWatch } from './stack-watch';
import { readStackInput } from './template';

/** States that REPLACE_ON_FAILURE deletes a stack in (CodePipeline user guide, CloudFormation action). */
const REPLACEABLE = new Set([
  'ROLLBACK_COMPLETE',
  'ROLLBACK_FAILED',
  'CREATE_FAILED',
  'DELETE_FAILED',
  'UPDATE_ROLLBACK_FAILED',
]);

/** States that an update is refused in. */
const UNUPDATABLE = new Set([...REPLACEABLE, 'REVIEW_IN_PROGRESS']);

const NO_CHANGES = /No updates are to be performed|didn't contain changes/;

/** `CloudFormation`: deploys stacks with the action's role, and names the role CloudFormation deploys as. */
export class CloudFormationDeploy implements ActionProvider {
  async run(context: ActionContext): Promise<ActionResult> {
    const client = new CloudFormationClient(context.actionRole.config(context.region));
    const deployment = new StackDeployment(client, context);
    switch (context.configuration.ActionMode) {
      case 'CHANGE_SET_REPLACE':
        return deployment.replaceChangeSet();
      case 'CHANGE_SET_EXECUTE':
        return deployment.finish(await deployment.executeChangeSet());
      case 'DELETE_ONLY':
        return deployment.delete();
      default:
        return deployment.finish(await deployment.createOrUpdate());
    }
  }
}

class StackDeployment {
  private readonly stackName: string;
  private readonly roleArn: string | undefined;
  private readonly capabilities: Capability[];

  constructor(
    private readonly client: CloudFormationClient,
    private readonly context: ActionContext,
  ) {
    const { Capabilities, RoleArn, StackName } = context.configuration;
    this.stackName = StackName as string;
    this.roleArn = RoleArn;
    this.capabilities = (Capabilities?.split(',') ?? []).map((item) => item.trim() as Capability);
  }

  async createOrUpdate(): Promise<Stack> {
    const { ActionMode } = this.context.configuration;
    const input = { ...(await readStackInput(this.context)), ...this.common() };
    let stack = await describeStack(this.client, this.stackName);
    if (ActionMode === 'REPLACE_ON_FAILURE' && stack && REPLACEABLE.has(stack.StackStatus ?? '')) {
      await this.delete();
      stack = undefined;
    }
    if (!stack) {
      const { StackId } = await this.client.send(new CreateStackCommand(input));
      return this.watch(StackId).settled();
    }
    if (UNUPDATABLE.has(stack.StackStatus ?? '')) {
      throw new LayersError(
        'StackNotUpdatable',
        `Stack:${stack.StackId} is in ${stack.StackStatus} state and can not be updated`,
      );
    }
    const watch = this.watch(stack.StackId);
    await watch.skipPast();
    try {
      await this.client.send(new UpdateStackCommand(input));
    } catch (error) {
      if (!NO_CHANGES.test((error as Error).message)) throw error;
      this.context.log.line('No updates are to be performed.');
      return stack;
    }
    return watch.settled();
  }

  async replaceChangeSet(): Promise<ActionResult> {
    const { ChangeSetName } = this.context.configuration;
    const input = { ...(await readStackInput(this.context)), ...this.common() };
    const stack = await describeStack(this.client, this.stackName);
    const isNew = !stack || stack.StackStatus === 'REVIEW_IN_PROGRESS';
    if (stack) {
      await this.client
        .send(new DeleteChangeSetCommand({ StackName: this.stackName, ChangeSetName }))
        .catch(ignoreMissingChangeSet);
    }
    await this.client.send(
      new CreateChangeSetCommand({
        ...input,
        ChangeSetName,
        ChangeSetType: isNew ? 'CREATE' : 'UPDATE',
      }),
    );
    for (let attempt = 0; ; attempt++) {
      const changeSet = await this.describeChangeSet();
      if (changeSet.Status === 'CREATE_COMPLETE') {
        for (const { ResourceChange: change } of changeSet.Changes ?? []) {
          this.context.log.line(
            `${change?.Action} ${change?.ResourceType} ${change?.LogicalResourceId}`,
          );
        }
        return { message: `change set ${ChangeSetName} created` };
      }
      if (changeSet.Status === 'FAILED') {
        if (!NO_CHANGES.test(changeSet.StatusReason ?? '')) {
          throw new LayersError('ChangeSetFailed', changeSet.StatusReason ?? 'no reason given');
        }
        this.context.log.line(changeSet.StatusReason ?? '');
        return { message: 'no changes' };
      }
      await pollDelay(attempt, this.context.signal);
    }
  }

  async executeChangeSet(): Promise<Stack> {
    const { ChangeSetName } = this.context.configuration;
    const changeSet = await this.describeChangeSet();
    const stack = await describeStack(this.client, this.stackName);
    if (changeSet.Status === 'FAILED' && NO_CHANGES.test(changeSet.StatusReason ?? '') && stack) {
      this.context.log.line(changeSet.StatusReason ?? '');
      return stack;
    }
    const watch = this.watch(changeSet.StackId);
    await watch.skipPast();
    await this.client.send(
      new ExecuteChangeSetCommand({ StackName: this.stackName, ChangeSetName }),
    );
    return watch.settled();
  }

  async delete(): Promise<ActionResult> {
    const stack = await describeStack(this.client, this.stackName);
    if (!stack) return { message: `stack ${this.stackName} does not exist` };
    const watch = this.watch(stack.StackId);
    await watch.skipPast();
    await this.client.send(
      new DeleteStackCommand({
        StackName: this.stackName,
        ...(this.roleArn && { RoleARN: this.roleArn }),
      }),
    );
    await watch.deleted();
    return { message: `stack ${this.stackName} deleted` };
  }

  /** Hands the stack's outputs on: as variables, and as a file where the action asks for one. */
  async finish(stack: Stack): Promise<ActionResult> {
    const outputVariables = Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [
        OutputKey ?? '',
        OutputValue ?? '',
      ]),
    );
    this.context.progress({ externalExecutionId: stack.StackId ?? '' });
    const outputs = await this.writeOutputs(outputVariables);
    return { message: `${this.stackName} ${stack.StackStatus}`, outputVariables, outputs };
  }

  private async writeOutputs(values: Readonly<Record<string, string>>): Promise<Artifact[]> {
    const { action, actionRole, artifacts, configuration, region, workDir } = this.context;
    const name = action.OutputArtifacts[0]?.Name;
    if (!name || !configuration.OutputFileName) return [];
    const folder = await mkdtemp(join(workDir, 'outputs-'));
    try {
      const source = join(folder, 'outputs.json');
      const zip = join(folder, 'outputs.zip');
      await writeFile(source, JSON.stringify(values));
      await writeZip(zip, [{ source, path: configuration.OutputFileName, mode: 0o644 }]);
      const location = artifacts.newLocation(name, region);
      await artifacts.upload(actionRole, region, location, zip);
      return [{ name, locations: new Map([[region, location]]) }];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private describeChangeSet() {
    const { ChangeSetName } = this.context.configuration;
    return this.client.send(
      new DescribeChangeSetCommand({ StackName: this.stackName, ChangeSetName }),
    );
  }

  private common() {
    return {
      StackName: this.stackName,
      Capabilities: this.capabilities,
      ...(this.roleArn && { RoleARN: this.roleArn }),
    };
  }

  private watch(stackId: string | undefined): StackWatch {
    return new StackWatch(this.client, stackId ?? this.stackName, this.context);
  }
}

function ignoreMissingChangeSet(error: Error): void {
  if (error.name !== 'ChangeSetNotFoundException' && !isMissing(error)) throw error;
}
