import {
  type CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import type { LayersError } from '../errors';

/** What a stack lists, and does not have (any more). */
const NOT_HELD =
  /^(CREATE_FAILED|DELETE_IN_PROGRESS|DELETE_COMPLETE|DELETE_FAILED|DELETE_SKIPPED)$/;

/** A stack of a target, as CloudFormation knows it. */
export class TargetStack {
  private answer: Promise<string> | undefined;

  constructor(
    private readonly cloudFormation: CloudFormationClient,
    readonly name: string,
    private readonly explain: (error: unknown, action: string) => LayersError,
  ) {}

  /** Asked once; empty where there is no such stack. */
  status(): Promise<string> {
    this.answer ??= this.describe();
    return this.answer;
  }

  /** Physical ids of its resources of a type. */
  async holds(type: string): Promise<Set<string>> {
    const held = new Set<string>();
    if ((await this.status()) === '') return held;
    let NextToken: string | undefined;
    try {
      do {
        const page = await this.cloudFormation.send(
          new ListStackResourcesCommand({ StackName: this.name, NextToken }),
        );
        for (const resource of page.StackResourceSummaries ?? []) {
          const { ResourceType, ResourceStatus = '', PhysicalResourceId } = resource;
          if (ResourceType !== type || NOT_HELD.test(ResourceStatus)) continue;
          if (PhysicalResourceId) held.add(PhysicalResourceId);
        }
        NextToken = page.NextToken;
      } while (NextToken);
    } catch (error) {
      throw this.explain(error, 'cloudformation:ListStackResources');
    }
    return held;
  }

  private async describe(): Promise<string> {
    try {
      const { Stacks } = await this.cloudFormation.send(
        new DescribeStacksCommand({ StackName: this.name }),
      );
      return Stacks?.[0]?.StackStatus ?? '';
    } catch (error) {
      if (/does not exist/.test((error as Error).message)) return '';
      throw this.explain(error, 'cloudformation:DescribeStacks');
    }
  }
}
