import {
  GetParameterCommand,
  GetParametersByPathCommand,
  ParameterNotFound,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { explain, personConfig } from '../aws';
import { LayersError } from '../errors';
import { parseRegion, parseRoleArn } from './names';

/** Where to look. */
export interface ParameterStoreProps {
  /** @default AWS_REGION, AWS_DEFAULT_REGION or the profile's region */
  readonly region?: string;
  /** Role to look through, in another account. @default the credentials of the environment */
  readonly roleArn?: string;
  /**
   * Region in which the role is assumed, one that the caller's account has enabled.
   * @default AWS_REGION, AWS_DEFAULT_REGION or `region`
   */
  readonly signInRegion?: string;
}

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

/** SSM Parameter Store of one region. */
export class ParameterStore {
  private constructor(
    private readonly ssm: SSMClient,
    readonly region: string,
    private readonly roleArn?: string,
  ) {}

  /** @throws LayersError `NoRegion`, `InvalidRegion`, `InvalidRoleArn` */
  static async open(props: ParameterStoreProps): Promise<ParameterStore> {
    const roleArn = props.roleArn === undefined ? undefined : parseRoleArn(props.roleArn);
    const region = parseRegion(props.region ?? (await defaultRegion()));
    const ssm = new SSMClient(personConfig(region, 'layers-lookup', roleArn, props.signInRegion));
    return new ParameterStore(ssm, region, roleArn);
  }

  /**
   * Undefined where there is no such parameter.
   *
   * @throws LayersError as {@link explain} says
   */
  async get(name: string): Promise<string | undefined> {
    try {
      const { Parameter } = await this.ssm.send(new GetParameterCommand({ Name: name }));
      return Parameter?.Value;
    } catch (error) {
      if (error instanceof ParameterNotFound) return undefined;
      throw this.explain(error, 'ssm:GetParameter');
    }
  }

  /**
   * All parameters below a path.
   *
   * @throws LayersError as {@link explain} says
   */
  async list(path: string, { recursive }: { recursive: boolean }): Promise<Parameter[]> {
    const found: Parameter[] = [];
    let NextToken: string | undefined;
    try {
      do {
        const page = await this.ssm.send(
          new GetParametersByPathCommand({ Path: path, Recursive: recursive, NextToken }),
        );
        for (const { Name, Value } of page.Parameters ?? []) {
          if (Name !== undefined && Value !== undefined) found.push({ name: Name, value: Value });
        }
        NextToken = page.NextToken;
      } while (NextToken);
    } catch (error) {
      throw this.explain(error, 'ssm:GetParametersByPath');
    }
    return found;
  }

  close(): void {
    this.ssm.destroy();
  }

  private explain(error: unknown, action: string): LayersError {
    return explain(error, { action, region: this.region, role: this.roleArn });
  }
}

async function defaultRegion(): Promise<string> {
  const fromEnvironment = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION;
  if (fromEnvironment) return fromEnvironment;
  // The SDK takes an empty one for the region, and does not look at the profile.
  delete process.env.AWS_REGION;
  const ssm = new SSMClient({});
  try {
    return await ssm.config.region();
  } catch (cause) {
    throw new LayersError('NoRegion', 'no region is set; give --region or set AWS_REGION', {
      cause,
    });
  } finally {
    ssm.destroy();
  }
}
