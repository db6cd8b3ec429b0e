import { z } from 'zod';
import { LayersError } from '../../errors';
import { referencedNamespaces } from './variables';

/**
 * `AWS::CodePipeline::Pipeline` as plain data, checked as CodePipeline checks it on creation.
 * Property names follow the CloudFormation reference.
 */

const text = z.string().min(1);
const name = z
  .string()
  .regex(/^[A-Za-z0-9.@\-_]{1,100}$/, 'must be 1-100 letters, digits or one of .@-_');
/** CloudFormation hands numbers and booleans over as they were written, often as text. */
const integer = z.coerce.number().int();
const flag = z.union([
  z.boolean(),
  z.enum(['true', 'false']).transform((value) => value === 'true'),
]);
const configurationValue = z
  .union([z.string(), z.number(), z.boolean(), z.record(z.string(), z.unknown())])
  .transform((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)));

const codeBuild = z.object({ ProjectName: text });

/** Configuration that each supported provider cannot do without. */
const PROVIDERS: Readonly<Record<string, z.ZodType>> = {
  'Source/CodeStarSourceConnection': z.object({
    ConnectionArn: text,
    FullRepositoryId: text,
    BranchName: text,
    OutputArtifactFormat: z
      .literal('CODE_ZIP', 'only CODE_ZIP can be rehearsed: a full clone needs the connection')
      .optional(),
  }),
  'Source/CodeCommit': z.object({
    RepositoryName: text,
    BranchName: text,
    OutputArtifactFormat: z
      .literal('CODE_ZIP', 'only CODE_ZIP can be rehearsed: a full clone needs the repository')
      .optional(),
  }),
  'Build/CodeBuild': codeBuild,
  'Test/CodeBuild': codeBuild,
  'Deploy/CloudFormation': z.discriminatedUnion('ActionMode', [
    z.object({ ActionMode: z.literal('CREATE_UPDATE'), StackName: text, TemplatePath: text }),
    z.object({ ActionMode: z.literal('REPLACE_ON_FAILURE'), StackName: text, TemplatePath: text }),
    z.object({
      ActionMode: z.literal('CHANGE_SET_REPLACE'),
      StackName: text,
      TemplatePath: text,
      ChangeSetName: text,
    }),
    z.object({
      ActionMode: z.literal('CHANGE_SET_EXECUTE'),
      StackName: text,
      ChangeSetName: text,
    }),
    z.object({ ActionMode: z.literal('DELETE_ONLY'), StackName: text }),
  ]),
  'Approval/Manual': z.object({}),
};

/** API reference, ActionDeclaration `configuration`. */
const MAX_VALUE_CHARACTERS = 1000;

const artifactStore = z.object({
  Type: z.literal('S3').default('S3'),
  Location: text,
  EncryptionKey: z.object({ Id: text, Type: z.literal('KMS') }).optional(),
});

const artifacts = z.array(z.object({ Name: name })).default([]);

const action = z.object({
  Name: name,
  ActionTypeId: z.object({
    Category: z.string(),
    Owner: z.literal('AWS'),
    Provider: z.string(),
    Version: z.coerce.string(),
  }),
  Configuration: z.record(z.string(), configurationValue).default({}),
  InputArtifacts: artifacts,
  OutputArtifacts: artifacts,
  RoleArn: text.optional(),
  Region: text.optional(),
  RunOrder: integer.min(1).max(999).default(1),
  Namespace: text.optional(),
  TimeoutInMinutes: integer.min(5).optional(),
});

const onFailure = z.object({
  Result: z.enum(['FAIL', 'RETRY', 'ROLLBACK']).default('FAIL'),
  RetryConfiguration: z
    .object({ RetryMode: z.enum(['FAILED_ACTIONS', 'ALL_ACTIONS']).default('FAILED_ACTIONS') })
    .optional(),
  Conditions: z.array(z.unknown()).max(0, 'conditions cannot be rehearsed').optional(),
});

const noConditions = z.undefined('conditions cannot be rehearsed').optional();

const stage = z.object({
  Name: name,
  Actions: z.array(action).min(1).max(50, 'a stage holds at most 50 actions'),
  OnFailure: onFailure.optional(),
  OnSuccess: noConditions,
  BeforeEntry: noConditions,
  Blockers: z.array(z.unknown()).max(0, 'blockers cannot be rehearsed').optional(),
});

const filter = z
  .object({ Includes: z.array(text).optional(), Excludes: z.array(text).optional() })
  .optional();

const pushFilter = z.object({ Branches: filter, FilePaths: filter, Tags: filter });

const trigger = z.object({
  ProviderType: z.literal('CodeStarSourceConnection'),
  GitConfiguration: z.object({
    SourceActionName: name,
    Push: z.array(pushFilter).optional(),
    PullRequest: z.array(z.unknown()).optional(),
  }),
});

const pipeline = z.object({
  RoleArn: text,
  PipelineType: z.enum(['V1', 'V2']).default('V1'),
  ExecutionMode: z.enum(['QUEUED', 'SUPERSEDED', 'PARALLEL']).default('SUPERSEDED'),
  RestartExecutionOnUpdate: flag.default(false),
  ArtifactStore: artifactStore.optional(),
  ArtifactStores: z.array(z.object({ Region: text, ArtifactStore: artifactStore })).optional(),
  Stages: z.array(stage).min(2, 'a pipeline has at least two stages'),
  Triggers: z.array(trigger).default([]),
  Variables: z.array(z.object({ Name: text, DefaultValue: z.string().optional() })).default([]),
  DisableInboundStageTransitions: z
    .array(z.unknown())
    .max(0, 'disabled transitions cannot be rehearsed')
    .default([]),
});

export type ArtifactStore = z.infer<typeof artifactStore>;
export type ActionDefinition = z.infer<typeof action>;
export type StageDefinition = z.infer<typeof stage>;
export type PushFilter = z.infer<typeof pushFilter>;
export type PipelineDefinition = z.infer<typeof pipeline>;

/**
 * Reads the resolved properties of an `AWS::CodePipeline::Pipeline`.
 *
 * @throws LayersError InvalidPipelineDefinition with every problem in one message
 */
export function parseDefinition(
  pipelineName: string,
  region: string,
  properties: unknown,
): PipelineDefinition {
  const parsed = pipeline.safeParse(properties);
  const problems = parsed.success
    ? checkDefinition(parsed.data, region)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new LayersError(
    'InvalidPipelineDefinition',
    `pipeline ${pipelineName} cannot be rehearsed: ${problems.join('; ')}`,
  );
}

/** Artifact store of a region, or undefined. A single `ArtifactStore` serves the pipeline's own region. */
export function artifactStoreOf(
  definition: PipelineDefinition,
  homeRegion: string,
  region: string,
): ArtifactStore | undefined {
  return (
    definition.ArtifactStores?.find((entry) => entry.Region === region)?.ArtifactStore ??
    (region === homeRegion ? definition.ArtifactStore : undefined)
  );
}

/** What a schema cannot say: the rules that tie actions to one another. */
function checkDefinition(definition: PipelineDefinition, homeRegion: string): string[] {
  const problems: string[] = [];
  const produced = new Set<string>();
  const namespaces = new Set(['codepipeline', 'variables']);
  const stageNames = new Set<string>();
  definition.Stages.forEach((stage, index) => {
    if (stageNames.has(stage.Name)) problems.push(`stage ${stage.Name}: name is used twice`);
    stageNames.add(stage.Name);
    const actionNames = new Set<string>();
    for (const group of inRunOrder(stage)) {
      for (const action of group) {
        const where = `${stage.Name}.${action.Name}`;
        if (actionNames.has(action.Name))
          problems.push(`${where}: name is used twice in its stage`);
        actionNames.add(action.Name);
        problems.push(...checkProvider(where, action), ...checkLengths(where, action));
        if ((action.ActionTypeId.Category === 'Source') !== (index === 0)) {
          problems.push(`${where}: the first stage, and only it, holds source actions`);
        }
        const region = action.Region ?? homeRegion;
        if (!artifactStoreOf(definition, homeRegion, region)) {
          problems.push(`${where}: no artifact store in region ${region}`);
        }
        for (const input of action.InputArtifacts.filter(({ Name }) => !produced.has(Name))) {
          problems.push(
            `${where}: input artifact ${input.Name} is the output of no earlier action`,
          );
        }
        const references = Object.values(action.Configuration).flatMap(referencedNamespaces);
        for (const namespace of references.filter((reference) => !namespaces.has(reference))) {
          problems.push(`${where}: variable namespace ${namespace} belongs to no earlier action`);
        }
      }
      // Actions of one run order run side by side and cannot see each other's outputs.
      for (const action of group) {
        if (action.Namespace) namespaces.add(action.Namespace);
        for (const { Name } of action.OutputArtifacts) {
          if (produced.has(Name)) {
            problems.push(`${stage.Name}.${action.Name}: output artifact ${Name} has two owners`);
          }
          produced.add(Name);
        }
      }
    }
  });
  return problems;
}

function checkProvider(where: string, action: ActionDefinition): string[] {
  const { Category, Provider } = action.ActionTypeId;
  const schema = PROVIDERS[`${Category}/${Provider}`];
  if (!schema) {
    return [
      `${where}: provider ${Category}/${Provider} is not supported; supported are ${Object.keys(PROVIDERS).join(', ')}`,
    ];
  }
  const parsed = schema.safeParse(action.Configuration);
  if (parsed.success) return [];
  return parsed.error.issues.map(
    (issue) => `${where}: Configuration.${issue.path.join('.')}: ${issue.message}`,
  );
}

function checkLengths(where: string, { Configuration }: ActionDefinition): string[] {
  return Object.entries(Configuration)
    .filter(([, value]) => value.length > MAX_VALUE_CHARACTERS)
    .map(
      ([field, { length }]) =>
        `${where}: Configuration.${field}: has ${length} characters, CodePipeline takes ${MAX_VALUE_CHARACTERS}`,
    );
}

/** Actions of a stage, those of one run order together, in ascending order. */
export function inRunOrder(stage: StageDefinition): ActionDefinition[][] {
  const groups = new Map<number, ActionDefinition[]>();
  for (const action of stage.Actions) {
    groups.set(action.RunOrder, [...(groups.get(action.RunOrder) ?? []), action]);
  }
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, actions]) => actions);
}
