import { join } from 'node:path';
import type { EnvironmentVariable, Project } from '@aws-sdk/client-codebuild';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { LayersError } from '../../../errors';
import type { Buildspec } from '../buildspec';
import type { RoleSession } from '../credentials';
import type { ActionContext } from './provider';

/** Folders of one build, all of them below one temporary folder. */
export interface BuildFolders {
  readonly home: string;
  readonly temporary: string;
  /** Sources of the primary input artifact: where the commands start. */
  readonly primary: string;
  /** Sources by artifact name. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface BuildIdentity {
  /** `<project>:<uuid>`. */
  readonly id: string;
  readonly arn: string;
  readonly number: number;
  readonly startTime: Date;
}

const actionVariables = z.array(
  z.object({
    name: z.string().min(1),
    value: z.string(),
    type: z.enum(['PLAINTEXT', 'PARAMETER_STORE', 'SECRETS_MANAGER']).default('PLAINTEXT'),
  }),
);

/** The variables that CodeBuild itself sets (user guide, "Environment variables in build environments"). */
export function codeBuildVariables(
  context: ActionContext,
  project: Project,
  build: BuildIdentity,
  folders: BuildFolders,
): Record<string, string> {
  const variables: Record<string, string> = {
    AWS_REGION: context.region,
    AWS_DEFAULT_REGION: context.region,
    CODEBUILD_BUILD_ARN: build.arn,
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_IMAGE: project.environment?.image ?? '',
    CODEBUILD_BUILD_NUMBER: String(build.number),
    CODEBUILD_BUILD_SUCCEEDING: '1',
    CODEBUILD_CI: 'true',
    CODEBUILD_INITIATOR: `codepipeline/${context.pipeline.name}`,
    CODEBUILD_KMS_KEY_ID: project.encryptionKey ?? '',
    CODEBUILD_LOG_PATH: build.id.split(':').pop() ?? '',
    CODEBUILD_PROJECT_NAME: project.name ?? '',
    CODEBUILD_SRC_DIR: folders.primary,
    CODEBUILD_START_TIME: String(build.startTime.getTime()),
    // The image has the Node.js that the buildspec asks for, this machine perhaps an older one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    HOME: folders.home,
    LAYERS_REHEARSAL: '1',
    TMPDIR: folders.temporary,
    npm_config_prefix: join(folders.home, '.npm-global'),
  };
  for (const { name, revision } of context.inputs) {
    const folder = folders.sources.get(name);
    if (folder === folders.primary && revision) {
      variables.CODEBUILD_RESOLVED_SOURCE_VERSION = revision;
      variables.CODEBUILD_SOURCE_VERSION = revision;
    } else if (folder) {
      variables[`CODEBUILD_SRC_DIR_${name}`] = folder;
    }
  }
  return variables;
}

/** Variables of the buildspec, then of the project, then of the action: the later ones win. */
export async function configuredVariables(
  context: ActionContext,
  project: Project,
  spec: Buildspec,
  serviceRole: RoleSession,
): Promise<Record<string, string>> {
  const ssm = new SSMClient(serviceRole.config(context.region));
  const values: Record<string, string> = { ...spec.env.variables };
  for (const [name, parameter] of Object.entries(spec.env['parameter-store'])) {
    values[name] = await parameterValue(ssm, parameter);
  }
  for (const variable of [
    ...(project.environment?.environmentVariables ?? []),
    ...readActionVariables(context.configuration.EnvironmentVariables),
  ]) {
    values[variable.name as string] = await variableValue(ssm, variable);
  }
  return values;
}

export function readActionVariables(json: string | undefined): EnvironmentVariable[] {
  if (!json) return [];
  try {
    return actionVariables.parse(JSON.parse(json));
  } catch (error) {
    throw new LayersError(
      'InvalidEnvironmentVariables',
      `EnvironmentVariables must be a JSON list of {name, value, type}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

async function variableValue(ssm: SSMClient, variable: EnvironmentVariable): Promise<string> {
  switch (variable.type ?? 'PLAINTEXT') {
    case 'PLAINTEXT':
      return variable.value ?? '';
    case 'PARAMETER_STORE':
      return parameterValue(ssm, variable.value ?? '');
    default:
      throw new LayersError(
        'UnsupportedVariableType',
        `variable ${variable.name} is of type ${variable.type}; PLAINTEXT and PARAMETER_STORE can be rehearsed`,
      );
  }
}

/** With the one permission that CodeBuild asks its role for, `ssm:GetParameters`. */
async function parameterValue(ssm: SSMClient, name: string): Promise<string> {
  const { Parameters } = await ssm.send(
    new GetParametersCommand({ Names: [name], WithDecryption: true }),
  );
  const value = Parameters?.[0]?.Value;
  if (value !== undefined) return value;
  throw new LayersError('ParameterNotFound', `parameter ${name} does not exist`);
}
