import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Parameter, Tag } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { readZipEntry } from '../../../archive';
import { LayersError } from '../../../errors';
import type { Artifact } from '../model';
import type { ActionContext } from './provider';

/** CloudFormation's limit on a template in a request, in bytes. */
const INLINE_TEMPLATE_BYTES = 51_200;

/** CodePipeline's limit on an input artifact of a CloudFormation action, in bytes. */
const INPUT_ARTIFACT_BYTES = 256 * 1024 ** 2;

/** Fields that CreateStack, UpdateStack and CreateChangeSet share. */
export interface StackInput {
  readonly TemplateBody?: string;
  readonly TemplateURL?: string;
  readonly Parameters: Parameter[];
  readonly Tags: Tag[];
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const configurationFile = z.object({
  Parameters: z.record(z.string(), scalar).default({}),
  Tags: z.record(z.string(), scalar).default({}),
  StackPolicy: z.undefined('a stack policy cannot be rehearsed').optional(),
});
const overrides = z.record(
  z.string(),
  z.union([
    scalar,
    z.object({ 'Fn::GetParam': z.tuple([z.string(), z.string(), z.string()]) }),
    z.object({ 'Fn::GetArtifactAtt': z.tuple([z.string(), z.string()]) }),
  ]),
);

/** Reads the template, its configuration file and the parameter overrides of an action. */
export async function readStackInput(context: ActionContext): Promise<StackInput> {
  const { configuration } = context;
  const folder = await mkdtemp(join(context.workDir, 'template-'));
  try {
    const reader = new ArtifactReader(context, folder);
    const templatePath = configuration.TemplatePath as string;
    const template = await reader.text(templatePath);
    const settings = configuration.TemplateConfiguration
      ? parseJson(
          'TemplateConfiguration',
          await reader.text(configuration.TemplateConfiguration),
          configurationFile,
        )
      : { Parameters: {}, Tags: {} };
    const parameters: Record<string, string> = { ...settings.Parameters };
    const given = parseJson(
      'ParameterOverrides',
      configuration.ParameterOverrides ?? '{}',
      overrides,
    );
    for (const [key, value] of Object.entries(given)) {
      parameters[key] = typeof value === 'string' ? value : await reader.resolve(value);
    }
    const body =
      Buffer.byteLength(template) <= INLINE_TEMPLATE_BYTES
        ? { TemplateBody: template }
        : { TemplateURL: await uploadTemplate(context, folder, template) };
    return {
      ...body,
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Tags: Object.entries(settings.Tags).map(([Key, Value]) => ({ Key, Value })),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type ArtifactFunction =
  | { readonly 'Fn::GetParam': [string, string, string] }
  | { readonly 'Fn::GetArtifactAtt': [string, string] };

/** Reads files of the input artifacts with the action's role, each artifact fetched once. */
class ArtifactReader {
  private readonly fetched = new Map<string, Promise<string>>();

  constructor(
    private readonly context: ActionContext,
    private readonly folder: string,
  ) {}

  /** Text of `Artifact::path/in/it`. */
  async text(reference: string): Promise<string> {
    const [name, ...path] = reference.split('::');
    if (!name || path.length !== 1) {
      throw new LayersError(
        'InvalidTemplatePath',
        `"${reference}" is no file of an artifact; write <artifact>::<path>`,
      );
    }
    const content = await readZipEntry(await this.file(name), path[0] as string);
    if (content) return content.toString();
    throw new LayersError(
      'FileNotInArtifact',
      `artifact ${name} has no file ${path[0]}; check the path in the action's configuration`,
    );
  }

  async resolve(reference: ArtifactFunction): Promise<string> {
    if ('Fn::GetParam' in reference) {
      const [name, path, key] = reference['Fn::GetParam'];
      const values = parseJson(
        path,
        await this.text(`${name}::${path}`),
        z.record(z.string(), scalar),
      );
      const value = values[key];
      if (value !== undefined) return value;
      throw new LayersError('MissingParameter', `${path} of artifact ${name} has no key "${key}"`);
    }
    const [name, attribute] = reference['Fn::GetArtifactAtt'];
    const { bucket, key } = await this.locate(this.artifact(name));
    const attributes: Record<string, string> = {
      BucketName: bucket,
      ObjectKey: key,
      URL: objectUrl(this.context.region, bucket, key),
    };
    const value = attributes[attribute];
    if (value !== undefined) return value;
    throw new LayersError(
      'UnknownArtifactAttribute',
      `Fn::GetArtifactAtt knows BucketName, ObjectKey and URL, not "${attribute}"`,
    );
  }

  private file(name: string): Promise<string> {
    let file = this.fetched.get(name);
    if (!file) {
      file = this.fetch(this.artifact(name));
      this.fetched.set(name, file);
    }
    return file;
  }

  private async fetch(artifact: Artifact): Promise<string> {
    const { actionRole, artifacts, region } = this.context;
    const file = join(this.folder, `${this.fetched.size}.zip`);
    const accept = (bytes: number) => {
      if (bytes <= INPUT_ARTIFACT_BYTES) return;
      throw new LayersError(
        'ArtifactTooLarge',
        `artifact ${artifact.name} has ${bytes} bytes, and a CloudFormation action takes ${INPUT_ARTIFACT_BYTES}; leave out of it what no template needs`,
      );
    };
    await artifacts.download(actionRole, region, await this.locate(artifact), file, accept);
    return file;
  }

  private locate(artifact: Artifact) {
    const { artifacts, pipelineRole, region } = this.context;
    return artifacts.locate(artifact, region, pipelineRole);
  }

  private artifact(name: string): Artifact {
    const artifact = this.context.inputs.find((input) => input.name === name);
    if (artifact) return artifact;
    throw new LayersError(
      'UnknownArtifact',
      `"${name}" is none of the action's input artifacts (${this.context.inputs.map((input) => input.name).join(', ')})`,
    );
  }
}

/** The pipeline's role writes it: the action's role may only read the artifact store. */
async function uploadTemplate(context: ActionContext, folder: string, template: string) {
  const { artifacts, pipelineRole, region } = context;
  const file = join(folder, 'template.json');
  await writeFile(file, template);
  const location = artifacts.newLocation('template', region, '.json');
  await artifacts.upload(pipelineRole, region, location, file);
  return objectUrl(region, location.bucket, location.key);
}

function objectUrl(region: string, bucket: string, key: string): string {
  return `https://s3.${region}.amazonaws.com/${bucket}/${key}`;
}

function parseJson<T extends z.ZodType>(field: string, text: string, schema: T): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new LayersError('InvalidJson', `${field} is no JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new LayersError('InvalidJson', `${field}: ${z.prettifyError(parsed.error)}`);
}
