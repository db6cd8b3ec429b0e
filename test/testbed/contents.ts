import { CloudFormationClient, paginateDescribeStacks } from '@aws-sdk/client-cloudformation';
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
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
  /** Tags of each, by parameter and key; CloudFormation's own, which name its stack, left out. */
  readonly tags: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Layer versions by ARN. */
  readonly layers: Readonly<Record<string, LayerVersionState>>;
  /** ARNs of the layers that each function attaches, by the function's name. */
  readonly functions: Readonly<Record<string, readonly string[]>>;
  /** Checksums of the zips in the bootstrap bucket, by key. */
  readonly zips: Readonly<Record<string, string>>;
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
        functions: await readFunctions(new LambdaClient(config)),
        zips: await readZips(new S3Client(config), place),
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
      const own = TagList.filter(({ Key }) => !Key?.startsWith('aws:'));
      tags[Name] = Object.fromEntries(own.map(({ Key, Value }) => [Key, Value]));
    }
  }
  client.destroy();
  return { parameters, tags };
}

async function readFunctions(client: LambdaClient): Promise<Record<string, string[]>> {
  const functions: Record<string, string[]> = {};
  for await (const { Functions = [] } of paginateListFunctions({ client }, {})) {
    for (const { FunctionName = '', Layers = [] } of Functions) {
      functions[FunctionName] = Layers.map(({ Arn = '' }) => Arn);
    }
  }
  client.destroy();
  return functions;
}

async function readZips(client: S3Client, { account, region }: Place) {
  const zips: Record<string, string> = {};
  const Bucket = `cdk-hnb659fds-assets-${account}-${region}`;
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: 'layers/' })) {
    for (const { Key = '', ETag = '' } of page.Contents ?? []) zips[Key] = ETag;
  }
  client.destroy();
  return zips;
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
