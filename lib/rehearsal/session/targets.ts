import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  LambdaClient,
  paginateListLayers,
  paginateListLayerVersions,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import pMap from 'p-map';
import { type DeliveryConfig, type Place, targetsOf } from '../../config';
import { LayersError } from '../../errors';
import { LocalCloud } from '../cloud';
import type { CloudState } from '../daemon';
import { cloudVariables } from './person';

/** What one target holds. */
export interface TargetState extends Place {
  readonly wave: string;
  /** SSM parameters below the namespace, name to value, as the AWS CLI reads them. */
  readonly parameters: Readonly<Record<string, string>>;
  /** SSM parameters' version numbers: one more at each change. */
  readonly parameterVersions: Readonly<Record<string, number>>;
  /** Layer version ARN to its CodeSha256. */
  readonly layerVersions: Readonly<Record<string, string>>;
  /** ARNs of the layer versions that somebody else was granted. */
  readonly permissions: readonly string[];
}

/** Reads every target that the configuration names, paused ones too. */
export async function readTargets(
  cloud: CloudState,
  config: DeliveryConfig,
): Promise<TargetState[]> {
  const api = await LocalCloud.attach({ endpoint: cloud.endpoint, caFile: cloud.caFile });
  const targets = config.waves.flatMap((wave) =>
    targetsOf(wave).map((place) => ({ ...place, wave: wave.name })),
  );
  return pMap(
    targets,
    async (target) => ({
      ...target,
      ...(await readParameters(cloud, config.namespace, target)),
      ...(await readLayers(new LambdaClient(api.sdkConfig(target.account, target.region)))),
    }),
    { concurrency: 2 },
  );
}

/** The real AWS CLI, as a consumer would call it. */
async function readParameters(
  cloud: CloudState,
  namespace: string,
  place: Place,
): Promise<Pick<TargetState, 'parameters' | 'parameterVersions'>> {
  const { Parameters } = await awsCli<{
    Parameters: { Name: string; Value: string; Version: number }[];
  }>(cloud, place, ['ssm', 'get-parameters-by-path', '--path', namespace, '--recursive']);
  return {
    parameters: Object.fromEntries(Parameters.map(({ Name, Value }) => [Name, Value])),
    parameterVersions: Object.fromEntries(Parameters.map(({ Name, Version }) => [Name, Version])),
  };
}

async function readLayers(
  client: LambdaClient,
): Promise<Pick<TargetState, 'layerVersions' | 'permissions'>> {
  const layerVersions: Record<string, string> = {};
  const permissions: string[] = [];
  for await (const { Layers = [] } of paginateListLayers({ client }, {})) {
    for (const { LayerName } of Layers) {
      for await (const page of paginateListLayerVersions({ client }, { LayerName })) {
        for (const { Version: VersionNumber, LayerVersionArn = '' } of page.LayerVersions ?? []) {
          const which = { LayerName, VersionNumber };
          const { Content } = await client.send(new GetLayerVersionCommand(which));
          layerVersions[LayerVersionArn] = Content?.CodeSha256 ?? '';
          if (await isGranted(client, which)) permissions.push(LayerVersionArn);
        }
      }
    }
  }
  client.destroy();
  return { layerVersions, permissions };
}

async function isGranted(
  client: LambdaClient,
  which: { LayerName: string | undefined; VersionNumber: number | undefined },
): Promise<boolean> {
  try {
    const { Policy } = await client.send(new GetLayerVersionPolicyCommand(which));
    return JSON.parse(Policy ?? '{"Statement":[]}').Statement.length > 0;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
}

/** One call of the real AWS CLI as root of an account. */
export async function awsCli<Answer>(
  cloud: CloudState,
  place: Place,
  args: readonly string[],
): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(cloud.awsBin, [...args, '--output', 'json'], {
      env: { ...process.env, ...cloudVariables(cloud, place) },
      maxBuffer: 64 * 1024 * 1024,
    });
    return JSON.parse(stdout || '{}');
  } catch (cause) {
    const { stderr = '', message } = cause as { stderr?: string; message: string };
    throw new LayersError(
      'AwsCliFailed',
      `aws ${args.slice(0, 2).join(' ')} in ${place.account}/${place.region}: ${stderr.trim() || message}`,
      { cause },
    );
  }
}
