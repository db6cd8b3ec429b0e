import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import {
  BatchGetProjectsCommand,
  CodeBuildClient,
  type Project,
  StartBuildCommand,
  StopBuildCommand,
} from '@aws-sdk/client-codebuild';
import { extractZip, writeZip } from '../../../archive';
import { LayersError } from '../../../errors';
import {
  artifactSetOf,
  BuildShell,
  type Buildspec,
  collectArtifact,
  hostEnvironment,
  parseBuildspec,
  runPhases,
} from '../buildspec';
import type { RoleSession } from '../credentials';
import type { Artifact } from '../model';
import {
  type BuildFolders,
  type BuildIdentity,
  codeBuildVariables,
  configuredVariables,
  readActionVariables,
} from './build-environment';
import type { ActionContext, ActionProvider, ActionResult } from './provider';

/** CodeBuild's default, in minutes. */
const DEFAULT_TIMEOUT_MINUTES = 60;

/**
 * `CodeBuild`: the action's role starts the build, and the build itself runs on this machine as the
 * project's service role. The emulator's StartBuild checks the permission and numbers the build; it
 * runs nothing.
 */
export class CodeBuildAction implements ActionProvider {
  private host: Promise<Record<string, string>> | undefined;

  /** @param environment variables that lead a build's clients to the emulated APIs */
  constructor(
    private readonly environment: (account: string, region: string) => Record<string, string>,
  ) {}

  async run(context: ActionContext): Promise<ActionResult> {
    const { configuration, region } = context;
    const projectName = configuration.ProjectName as string;
    const variables = readActionVariables(configuration.EnvironmentVariables);
    const codeBuild = new CodeBuildClient(context.actionRole.config(region));
    const { build } = await codeBuild.send(
      new StartBuildCommand({ projectName, environmentVariablesOverride: variables }),
    );
    const project = await readProject(context, projectName);
    const identity: BuildIdentity = {
      id: build?.id ?? `${projectName}:unknown`,
      arn: build?.arn ?? '',
      number: build?.buildNumber ?? 1,
      startTime: new Date(),
    };
    context.progress({ externalExecutionId: identity.id });
    try {
      return await this.build(context, project, identity);
    } catch (error) {
      if (context.signal.aborted) await codeBuild.send(new StopBuildCommand({ id: identity.id }));
      throw error;
    }
  }

  private async build(
    context: ActionContext,
    project: Project,
    identity: BuildIdentity,
  ): Promise<ActionResult> {
    const serviceRole = await context.sessions.assumeAsService(
      'codebuild.amazonaws.com',
      project.serviceRole as string,
      context.region,
      `AWSCodeBuild-${identity.id.split(':').pop()}`,
    );
    context.log.line(`[Container] build ${identity.id} as ${serviceRole.roleArn}`);
    const root = await mkdtemp(join(context.workDir, 'build-'));
    const minutes = project.timeoutInMinutes ?? DEFAULT_TIMEOUT_MINUTES;
    const timeout = AbortSignal.timeout(minutes * 60_000);
    const signal = AbortSignal.any([context.signal, timeout]);
    try {
      const folders = await prepareFolders(context, serviceRole, root);
      const spec = await readBuildspec(project, folders.primary);
      const { account } = context.pipeline;
      this.host ??= hostEnvironment();
      const host = await this.host;
      const own = codeBuildVariables(context, project, identity, folders);
      const environment = {
        ...host,
        ...this.environment(account, context.region),
        ...own,
        AWS_ACCESS_KEY_ID: serviceRole.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: serviceRole.credentials.secretAccessKey,
        AWS_SESSION_TOKEN: serviceRole.credentials.sessionToken,
        PATH: `${join(own.npm_config_prefix as string, 'bin')}:${host.PATH}`,
        ...(await configuredVariables(context, project, spec, serviceRole)),
      };
      const outputVariables = await runBuild(context, spec, folders, environment, root, signal);
      const outputs = await uploadOutputs(context, spec, folders.primary, serviceRole, root);
      return { message: `build ${identity.id}`, outputVariables, outputs };
    } catch (error) {
      if (!timeout.aborted || context.signal.aborted) throw error;
      throw new LayersError(
        'BuildTimedOut',
        `build ${identity.id} did not end within the project's ${minutes} minutes`,
      );
    } finally {
      // A process that is being killed may still write for a moment.
      await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    }
  }
}

/**
 * CodeBuild knows its own projects, whereas an action's role need not be allowed to read them: the
 * account's root key stands in for the service here.
 */
async function readProject(context: ActionContext, name: string): Promise<Project> {
  const account = context.actionRole.roleArn.split(':')[4] as string;
  const client = new CodeBuildClient(context.sdkConfig(account, context.region));
  const { projects } = await client.send(new BatchGetProjectsCommand({ names: [name] }));
  const project = projects?.[0];
  if (project?.serviceRole) return project;
  throw new LayersError(
    'ProjectNotFound',
    `CodeBuild project ${name} does not exist in ${account}/${context.region}; deploy it before the pipeline`,
  );
}

/** Fetches the input artifacts as the service role and unpacks them, the primary one first. */
async function prepareFolders(
  context: ActionContext,
  serviceRole: RoleSession,
  root: string,
): Promise<BuildFolders> {
  const { artifacts, configuration, inputs, pipelineRole, region } = context;
  const primaryName = configuration.PrimarySource ?? inputs[0]?.name;
  if (!inputs.some(({ name }) => name === primaryName)) {
    throw new LayersError(
      'InvalidPrimarySource',
      `PrimarySource "${primaryName}" is none of the action's input artifacts (${inputs.map(({ name }) => name).join(', ')})`,
    );
  }
  const home = join(root, 'home');
  const temporary = join(root, 'tmp');
  await Promise.all([home, temporary, join(root, 'control')].map((folder) => mkdir(folder)));
  const sources = new Map<string, string>();
  for (const [index, input] of inputs.entries()) {
    const folder = join(root, input.name === primaryName ? 'src' : `src${index}`);
    await mkdir(folder);
    const zip = join(root, 'input.zip');
    const location = await artifacts.locate(input, region, pipelineRole);
    await artifacts.download(serviceRole, region, location, zip);
    await extractZip(zip, folder);
    await rm(zip);
    sources.set(input.name, folder);
  }
  return { home, temporary, sources, primary: sources.get(primaryName as string) as string };
}

/** The project's own buildspec, or the file that it names, `buildspec.yml` when it names none. */
async function readBuildspec(project: Project, sourceDir: string): Promise<Buildspec> {
  const text = project.source?.buildspec;
  if (text && /[\n{]/.test(text)) return parseBuildspec(text, `project ${project.name}`);
  const file = text || 'buildspec.yml';
  if (isAbsolute(file) || file.startsWith('arn:') || file.split('/').includes('..')) {
    throw new LayersError(
      'UnsupportedBuildspec',
      `buildspec "${file}" of project ${project.name} lies outside the source; give a path inside it`,
    );
  }
  return parseBuildspec(await readFile(join(sourceDir, file), 'utf8'), file);
}

/** Runs the phases; answers the exported variables. */
async function runBuild(
  context: ActionContext,
  spec: Buildspec,
  folders: BuildFolders,
  environment: Readonly<Record<string, string>>,
  root: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { log } = context;
  const shell = new BuildShell(folders.primary, environment, join(root, 'control'), (data) =>
    log.chunk(data),
  );
  const kill = () => shell.kill();
  signal.addEventListener('abort', kill);
  try {
    await runPhases(spec, shell, signal, (line) => {
      log.line(`[Container] ${line}`);
      if (line === 'Entering phase BUILD') context.begun();
    });
    const names = spec.env['exported-variables'];
    return names.length > 0 ? await shell.exported(names) : {};
  } finally {
    signal.removeEventListener('abort', kill);
    await shell.close();
  }
}

async function uploadOutputs(
  context: ActionContext,
  spec: Buildspec,
  sourceDir: string,
  serviceRole: RoleSession,
  root: string,
): Promise<Artifact[]> {
  const { action, artifacts, region } = context;
  const outputs: Artifact[] = [];
  for (const { Name } of action.OutputArtifacts) {
    const set = artifactSetOf(spec, Name, action.OutputArtifacts.length === 1);
    if (!set) {
      throw new LayersError(
        'NoArtifactInBuildspec',
        `output artifact ${Name} has no entry in the buildspec; add it to artifacts.secondary-artifacts`,
      );
    }
    const entries = await collectArtifact(sourceDir, set);
    const zip = join(root, 'output.zip');
    await writeZip(zip, entries);
    const location = artifacts.newLocation(Name, region);
    await artifacts.upload(serviceRole, region, location, zip);
    await rm(zip);
    context.log.line(
      `[Container] ${Name}: ${entries.length} files to s3://${location.bucket}/${location.key}`,
    );
    outputs.push({ name: Name, locations: new Map([[region, location]]) });
  }
  return outputs;
}
