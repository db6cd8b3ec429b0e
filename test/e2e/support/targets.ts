import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { promisify } from 'node:util';
import {
  GetLayerVersionByArnCommand,
  GetLayerVersionPolicyCommand,
  LambdaClient,
  paginateListLayers,
  paginateListLayerVersions,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Checkout } from './checkout';
import type { Place } from './config';

export interface LayerVersionState {
  readonly codeSha256: string;
  /** Principals that may use it. */
  readonly sharedWith: readonly string[];
}

/** What one target holds, read by the AWS CLI and SDK themselves. */
export interface TargetContent extends Place {
  /** SSM parameters by name. */
  readonly parameters: Readonly<
    Record<string, { readonly value: string; readonly version: number }>
  >;
  /** Layer versions by ARN. */
  readonly layers: Readonly<Record<string, LayerVersionState>>;
}

/** Every target of a kept cloud, one after the other. */
export async function readTargets(
  checkout: Checkout,
  places: readonly Place[],
): Promise<TargetContent[]> {
  const contents: TargetContent[] = [];
  for (const place of places) {
    contents.push({
      ...place,
      parameters: await readParameters(checkout, place),
      layers: await readLayers(lambdaClient(checkout, place)),
    });
  }
  return contents;
}

/** Values of a target's parameters by name. */
export function valuesOf({ parameters }: TargetContent): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, { value }]) => [name, value]));
}

/** The real AWS CLI as root of an account; `aws ssm get-parameter …`. */
export async function aws<Answer = unknown>(
  checkout: Checkout,
  { account, region }: Place,
  ...args: string[]
): Promise<Answer> {
  const { awsBin, endpoint, caFile } = cloudOf(checkout);
  const { stdout } = await promisify(execFile)(awsBin, [...args, '--output', 'json'], {
    env: {
      PATH: process.env.PATH,
      HOME: checkout.dir,
      AWS_ENDPOINT_URL: endpoint,
      AWS_CA_BUNDLE: caFile,
      AWS_ACCESS_KEY_ID: account,
      AWS_SECRET_ACCESS_KEY: 'any',
      AWS_DEFAULT_REGION: region,
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout || 'null');
}

async function readParameters(checkout: Checkout, place: Place) {
  const { Parameters } = await aws<{
    Parameters: { Name: string; Value: string; Version: number }[];
  }>(checkout, place, 'ssm', 'get-parameters-by-path', '--path', '/layers', '--recursive');
  return Object.fromEntries(
    Parameters.map(({ Name, Value, Version }) => [Name, { value: Value, version: Version }]),
  );
}

/** Every layer version of the client's account and region; the client is closed. */
export async function readLayers(client: LambdaClient): Promise<Record<string, LayerVersionState>> {
  const layers: Record<string, LayerVersionState> = {};
  try {
    for await (const { Layers = [] } of paginateListLayers({ client }, {})) {
      for (const { LayerName } of Layers) {
        for await (const page of paginateListLayerVersions({ client }, { LayerName })) {
          for (const { LayerVersionArn = '', Version } of page.LayerVersions ?? []) {
            layers[LayerVersionArn] = {
              codeSha256: await readCodeSha256(client, LayerVersionArn),
              sharedWith: await readPrincipals(client, LayerName, Version),
            };
          }
        }
      }
    }
    return layers;
  } finally {
    client.destroy();
  }
}

async function readCodeSha256(client: LambdaClient, Arn: string): Promise<string> {
  const { Content } = await client.send(new GetLayerVersionByArnCommand({ Arn }));
  return Content?.CodeSha256 ?? '';
}

async function readPrincipals(
  client: LambdaClient,
  LayerName: string | undefined,
  VersionNumber: number | undefined,
): Promise<string[]> {
  try {
    const { Policy = '{}' } = await client.send(
      new GetLayerVersionPolicyCommand({ LayerName, VersionNumber }),
    );
    const statements: { Principal: string | { AWS: string } }[] =
      JSON.parse(Policy).Statement ?? [];
    return statements.map(({ Principal }) =>
      typeof Principal === 'string' ? Principal : Principal.AWS,
    );
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return [];
    throw error;
  }
}

export function lambdaClient(checkout: Checkout, { account, region }: Place): LambdaClient {
  const { endpoint, caFile } = cloudOf(checkout);
  return new LambdaClient({
    endpoint,
    region,
    credentials: { accessKeyId: account, secretAccessKey: 'any' },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: readFileSync(caFile) }) }),
  });
}

function cloudOf(checkout: Checkout) {
  const cloud = checkout.kept();
  if (!cloud) throw new Error('no local cloud is kept');
  return cloud;
}
