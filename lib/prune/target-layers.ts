import {
  DeleteLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  LambdaClient,
  paginateListFunctions,
  paginateListLayers,
  paginateListLayerVersions,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import pMap from 'p-map';
import { explain, personConfig } from '../aws';
import { parseLayerName } from '../release';
import type { LayerVersion } from './decide';

/** Layers asked about at the same time: Lambda takes 15 such requests a second. */
const CONCURRENCY = 4;

/** The layer versions and functions of one account and region. */
export class TargetLayers {
  private readonly client: LambdaClient;

  /** @param roleArn role to look through, in another account; without it the environment's credentials */
  constructor(
    private readonly region: string,
    private readonly roleArn?: string,
  ) {
    this.client = new LambdaClient(personConfig(region, 'layers-prune', roleArn));
  }

  /**
   * Every version of every layer that has a name of ours.
   *
   * @throws LayersError as {@link explain} says
   */
  async versions(): Promise<LayerVersion[]> {
    const { client } = this;
    const layers = await this.send('lambda:ListLayers', async () => {
      const names: string[] = [];
      for await (const { Layers = [] } of paginateListLayers({ client }, {})) {
        names.push(...Layers.flatMap(({ LayerName = '' }) => LayerName).filter(parseLayerName));
      }
      return names;
    });
    const versions = await pMap(layers, (layer) => this.versionsOf(layer), {
      concurrency: CONCURRENCY,
    });
    return versions.flat();
  }

  private versionsOf(layer: string): Promise<LayerVersion[]> {
    const { client } = this;
    return this.send('lambda:ListLayerVersions', async () => {
      const versions: LayerVersion[] = [];
      for await (const page of paginateListLayerVersions({ client }, { LayerName: layer })) {
        for (const { LayerVersionArn = '', Version = 0, CreatedDate = '' } of page.LayerVersions ??
          []) {
          versions.push({
            arn: LayerVersionArn,
            layer,
            version: Version,
            createdDate: CreatedDate,
          });
        }
      }
      return versions;
    });
  }

  /**
   * Functions by the layer versions that they attach; published versions of functions count.
   *
   * @throws LayersError as {@link explain} says
   */
  users(): Promise<Map<string, string[]>> {
    const { client } = this;
    return this.send('lambda:ListFunctions', async () => {
      const users = new Map<string, string[]>();
      for await (const page of paginateListFunctions({ client }, { FunctionVersion: 'ALL' })) {
        for (const { FunctionName = '', Version, Layers = [] } of page.Functions ?? []) {
          const name = Version === '$LATEST' ? FunctionName : `${FunctionName}:${Version}`;
          for (const { Arn = '' } of Layers) users.set(Arn, [...(users.get(Arn) ?? []), name]);
        }
      }
      return users;
    });
  }

  /**
   * Whether a layer version has a policy: others were granted it, and their functions are not seen.
   *
   * @throws LayersError as {@link explain} says
   */
  isShared({ layer, version }: LayerVersion): Promise<boolean> {
    return this.send('lambda:GetLayerVersionPolicy', async () => {
      try {
        const { Policy } = await this.client.send(
          new GetLayerVersionPolicyCommand({ LayerName: layer, VersionNumber: version }),
        );
        return Policy !== undefined;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return false;
        throw error;
      }
    });
  }

  /** @throws LayersError as {@link explain} says */
  async delete({ layer, version }: LayerVersion): Promise<void> {
    await this.send('lambda:DeleteLayerVersion', () =>
      this.client.send(new DeleteLayerVersionCommand({ LayerName: layer, VersionNumber: version })),
    );
  }

  close(): void {
    this.client.destroy();
  }

  private async send<Answer>(action: string, request: () => Promise<Answer>): Promise<Answer> {
    try {
      return await request();
    } catch (error) {
      throw explain(error, { action, region: this.region, role: this.roleArn });
    }
  }
}
