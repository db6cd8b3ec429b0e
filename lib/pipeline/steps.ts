import { aws_codebuild as codebuild, type aws_iam as iam } from 'aws-cdk-lib';
import { CodeBuildStep, type CodePipelineSource, type FileSet } from 'aws-cdk-lib/pipelines';
import { OVERRIDES_VARIABLE, type Overrides } from '../config';
import type { SmokePlan, WavePlan } from '../plan';
import type { Architecture } from '../release';

const BUILD_IMAGES: Record<Architecture, codebuild.IBuildImage> = {
  arm64: codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0,
  x86_64: codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5,
};

/** Node.js that every action runs under; the images carry several. */
export const NODE = codebuild.BuildSpec.fromObject({
  phases: { install: { 'runtime-versions': { nodejs: 22 } } },
});

/** Folder names that the steps hand to one another. */
const LAYERS = 'dist/layers';
const MANIFESTS = 'dist/manifests';
const RELEASE = 'dist/release';

/** A build action, and the two artifacts that come out of it. */
export interface LayerBuild {
  readonly architecture: Architecture;
  /** Zips, for the publish action only. */
  readonly layers: FileSet;
  /** Manifests, for synth: a few kilobytes. */
  readonly manifests: FileSet;
}

/**
 * Builds all layers of one architecture on that architecture, and runs each.
 *
 * @param natively false where CodeBuild lacks it: built on the other one, to the same bytes, and
 * run for the first time by the smoke test
 */
export function buildStep(
  source: CodePipelineSource,
  architecture: Architecture,
  overrides: Overrides,
  role: iam.IRole,
  natively = true,
): LayerBuild {
  const step = new CodeBuildStep(`Build-${architecture}`, {
    input: source,
    buildEnvironment: {
      buildImage: BUILD_IMAGES[natively ? architecture : 'x86_64'],
      computeType: codebuild.ComputeType.MEDIUM,
    },
    partialBuildSpec: NODE,
    role,
    env: overridesEnvironment(overrides),
    // The build needs no CDK.
    installCommands: ['npm ci --omit=dev --omit=peer'],
    commands: [
      `npm run build:layers -- --arch ${architecture} --out ${LAYERS} --manifests ${MANIFESTS}${natively ? ' --check' : ''}`,
    ],
    primaryOutputDirectory: LAYERS,
  });
  return {
    architecture,
    layers: step.primaryOutput as FileSet,
    manifests: step.addOutputDirectory(MANIFESTS),
  };
}

/** Synth, and what the publish and smoke actions carry out. */
export interface SynthAction {
  readonly step: CodeBuildStep;
  readonly release: FileSet;
}

/** Manifests in, cloud assembly and release plan out. */
export function synthStep(
  source: CodePipelineSource,
  builds: readonly LayerBuild[],
  overrides: Overrides,
  role: iam.IRole,
): SynthAction {
  const step = new CodeBuildStep('Synth', {
    input: source,
    additionalInputs: Object.fromEntries(
      builds.map(({ architecture, manifests }) => [`${MANIFESTS}/${architecture}`, manifests]),
    ),
    partialBuildSpec: NODE,
    role,
    env: overridesEnvironment(overrides),
    installCommands: ['npm ci --omit=dev'],
    // Npm scripts only: these very lines run before self-mutation can change them
    // (https://github.com/aws/aws-cdk/issues/32628).
    commands: ['npm run synth'],
    primaryOutputDirectory: 'cdk.out',
  });
  return { step, release: step.addOutputDirectory(RELEASE) };
}

/** Asks every target whether it can take the release, and lists all that is wrong. */
export function preflightStep(release: FileSet, role: iam.IRole): CodeBuildStep {
  return new CodeBuildStep('Preflight', {
    input: release,
    partialBuildSpec: NODE,
    role,
    commands: ['node tools.cjs preflight --plan release.json'],
  });
}

/** Copies every zip to every target's bootstrap bucket. */
export function publishStep(
  release: FileSet,
  builds: readonly LayerBuild[],
  role: iam.IRole,
): CodeBuildStep {
  return new CodeBuildStep('Publish-zips', {
    input: release,
    additionalInputs: Object.fromEntries(
      builds.map(({ architecture, layers }) => [`layers/${architecture}`, layers]),
    ),
    partialBuildSpec: NODE,
    role,
    commands: [
      [
        'node tools.cjs publish --plan release.json --examples examples',
        ...builds.map(({ architecture }) => `--layers layers/${architecture}`),
      ].join(' '),
    ],
  });
}

/** Most targets that a smoke action asks side by side; it does little but wait for them. */
const SMOKE_CONCURRENCY = 32;

/** Reads back and invokes every layer of a wave, or of its canary. */
export function smokeStep(
  release: FileSet,
  wave: WavePlan,
  { action, only }: SmokePlan,
  role: iam.IRole,
): CodeBuildStep {
  const targets = only ? 1 : wave.targets.length;
  return new CodeBuildStep(action, {
    input: release,
    partialBuildSpec: NODE,
    role,
    commands: [
      [
        `node tools.cjs smoke --plan release.json --wave ${wave.name}`,
        ...(only ? [`--only ${only.account}/${only.region}`] : []),
        `--concurrency ${Math.min(targets, SMOKE_CONCURRENCY)}`,
      ].join(' '),
    ],
  });
}

/**
 * Deploys stacks with the CDK CLI, side by side, through the bootstrap roles of their targets.
 *
 * @param action its name, and that of the folder in `assembly` which has just these stacks
 * @param assembly the synth action's cloud assembly
 * @param stacks how many there are
 * @param role may assume the bootstrap roles of the stacks' targets
 */
export function remoteDeployStep(
  action: string,
  assembly: FileSet,
  cliVersion: string,
  stacks: number,
  role: iam.IRole,
): CodeBuildStep {
  return new CodeBuildStep(action, {
    input: assembly,
    partialBuildSpec: NODE,
    role,
    installCommands: [`npm install -g aws-cdk@${cliVersion}`],
    commands: [
      `cdk -a ${action} deploy --all --require-approval never --method direct --progress events --concurrency ${stacks}`,
    ],
  });
}

/**
 * Text that the approver reads: what is about to go where.
 *
 * It names no layer: a definition that changed with each release would make every push build
 * twice, and AWS rolls a stage back only within one version of the definition.
 */
export function approvalComment(wave: WavePlan): string {
  const paused = wave.paused.map(
    ({ account, region, reason, since }) => `${account}/${region} since ${since} (${reason})`,
  );
  const text = [
    `Release the layers of execution ${EXECUTION_ID} to wave ${wave.name}: ${describeTargets(wave)}.`,
    'The log of Publish-zips names them.',
    ...(paused.length > 0 ? [`Paused: ${paused.join(', ')}.`] : []),
  ].join(' ');
  return text.length <= MAX_COMMENT ? text : `${text.slice(0, MAX_COMMENT - 3)}...`;
}

/** CodePipeline puts the id in its place, a UUID: one character longer. */
const EXECUTION_ID = '#{codepipeline.PipelineExecutionId}';

/** CodePipeline takes 1000 characters, with the id in its place. */
const MAX_COMMENT = 1000 - (36 - EXECUTION_ID.length);

/** More targets than these would leave no room for what is paused. */
const TARGETS_BY_NAME = 12;

function describeTargets({ targets }: WavePlan): string {
  if (targets.length <= TARGETS_BY_NAME) {
    return targets.map(({ account, region }) => `${account}/${region}`).join(', ');
  }
  const accounts = new Set(targets.map(({ account }) => account)).size;
  const regions = new Set(targets.map(({ region }) => region)).size;
  return `${targets.length} targets in ${accounts} accounts and ${regions} regions`;
}

function overridesEnvironment(overrides: Overrides): Record<string, string> {
  return Object.keys(overrides).length > 0
    ? { [OVERRIDES_VARIABLE]: JSON.stringify(overrides) }
    : {};
}
