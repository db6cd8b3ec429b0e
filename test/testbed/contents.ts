import { CloudFormationClient, paginateDescribeStacks } from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  ListTagsForResourceCommand,
  paginateGetParametersByPath,
  SSMClient,
} from '@aws-sdk/client-ssm';
import type { LocalCloud } from '../../lib/rehearsal/cloud';
import { type LayerVersionState, type Place, readLayers } from '../e2e/support';

/** What a target holds, without what differs from one way to another: times, version numbers, ids. */
export interface TargetContents extends Place {
  /** Values of SSM parameters by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Tags of each, by parameter and key. */
  readonly tags: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Layer versions by ARN. */
  readonly layers: Readonly<Record<string, LayerVersionState>>;
  /** Status of stacks by name, bootstrap aside. */
  readonly stacks: Readonly<Record<string, string>>;
}

/** Every place, read as root of its account through the SDK. */
export function readContents(
  cloud: LocalCloud,
  places: readonly Place[],
  namespace: string,
): Promise<TargetContents[]> {
  return Promise.all(
    places.map(async (place) => {
      const config = cloud.sdkConfig(place.account, place.region);
      const parameters = await readParameters(new SSMClient(config), namespace);
      return {
        ...place,
        ...parameters,
        layers: await readLayers(new LambdaClient(config)),
        stacks: await readStacks(new CloudFormationClient(config)),
      };
    }),
  );
}

async function readParameters(
  client: SSMClient,
  Path: string,
): Promise<Pick<TargetContents, 'parameters' | 'tags'>> {
  const parameters: Record<string, string> = {};
  const tags: Record<string, Record<string, string>> = {};
  for await (const page of paginateGetParametersByPath({ client }, { Path, Recursive: true })) {
    for (const { Name = '', Value = '' } of page.Parameters ?? []) {
      parameters[Name] = Value;
      const { TagList = [] } = await client.send(
        new ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId: Name }),
      );
      tags[Name] = Object.fromEntries(TagList.map(({ Key, Value }) => [Key, Value]));
    }
  }
  client.destroy();
  return { parameters, tags };
}

async function readStacks(client: CloudFormationClient): Promise<Record<string, string>> {
  const stacks: Record<string, string> = {};
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
    for (const { StackName = '', StackStatus = '' } of Stacks) {
      if (StackName !== 'CDKToolkit' && StackStatus !== 'DELETE_COMPLETE') {
        stacks[StackName] = StackStatus;
      }
    }
  }
  client.destroy();
  return stacks;
}
