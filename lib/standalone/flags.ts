import { LayersError } from '../errors';
import type { Runtime } from '../layers';
import { isVersion, pinnedVersions } from '../layers/versions';
import {
  ARCHITECTURES,
  type Architecture,
  layerArnFault,
  meantArchitecture,
  parseLayerArn,
  parseLayerName,
} from '../release';

/** How the example function is reached over HTTPS. */
export type UrlAccess = 'iam' | 'public';

/** What a person asked for with `-c`, checked as far as it can be without the network. */
export interface StandaloneFlags {
  readonly architecture: Architecture;
  /** Runtime's name to the version as typed; a runtime that is absent takes its newest one. */
  readonly versions: ReadonlyMap<string, string>;
  readonly createExample: boolean;
  /** Layer version that the example uses in place of one built here. */
  readonly layerArn?: string;
  /** No URL when absent. */
  readonly functionUrl?: UrlAccess;
}

/** What is known before a stack is made. */
export interface Surroundings {
  /** Region that the CDK CLI deploys to, where it knows one. */
  readonly region?: string;
}

/** One wrong value: which flag, and what to do about it. */
export interface FlagProblem {
  readonly flag: string;
  readonly message: string;
}

type Context = Readonly<Record<string, unknown>>;

const PLAIN_FLAGS = ['architecture', 'createExample', 'layerArn', 'functionUrl'] as const;

/** Name of a runtime's version flag, `denoVersion`. */
export function versionFlag(runtime: string): string {
  return `${runtime}Version`;
}

/** Whether a CDK context holds any flag of the standalone stacks, right or wrong. */
export function hasStandaloneFlags(context: Context): boolean {
  return Object.keys(context).some(
    (key) => isPlainFlag(key) || isVersionFlag(key) || meantFlag(key) !== undefined,
  );
}

function isPlainFlag(key: string): boolean {
  return PLAIN_FLAGS.some((flag) => flag === key);
}

/** What a key means that is another command's option, or a flag written or cut short otherwise. */
function meantFlag(key: string): string | undefined {
  if (isPlainFlag(key) || isVersionFlag(key)) return undefined;
  const plain = key.toLowerCase().replaceAll(/[-_]/g, '');
  if (plain === 'arch' || plain === 'architectures') return 'architecture';
  if (plain === 'version') return `a runtime's own, such as ${versionFlag('deno')}`;
  const runtime = /^([a-z0-9]+)version$/.exec(plain)?.[1];
  return runtime ? versionFlag(runtime) : PLAIN_FLAGS.find((flag) => flag.toLowerCase() === plain);
}

/** Every runtime's flag, and every misspelt one, too: none must be taken for no flag at all. */
function isVersionFlag(key: string): boolean {
  return /^[A-Za-z0-9]+Version$/.test(key);
}

/**
 * Reads the flags out of a CDK context.
 *
 * @returns the flags, right as far as `problems` is empty
 */
export function readFlags(
  context: Context,
  runtimes: readonly Runtime[],
  { region }: Surroundings = {},
): { readonly flags: StandaloneFlags; readonly problems: readonly FlagProblem[] } {
  const problems: FlagProblem[] = [];
  const wrong = (flag: string, message: string) => {
    problems.push({ flag, message: `"${text(context[flag])}" ${message}` });
  };
  for (const key of Object.keys(context)) {
    const meant = meantFlag(key);
    if (meant) wrong(key, `is of no flag; did you mean ${meant}?`);
  }
  const architecture = readArchitecture(context, wrong);
  const versions = readVersions(context, runtimes, wrong);
  const createExample = readCreateExample(context, wrong);
  const functionUrl = readFunctionUrl(context, wrong);
  const layerArn = readLayerArn(context, architecture, region, wrong);

  for (const flag of ['layerArn', 'functionUrl']) {
    if (context[flag] === undefined || createExample || isWrong(problems, 'createExample'))
      continue;
    if (flag === 'functionUrl' && functionUrl === undefined) continue;
    wrong(flag, 'is for the example function, and there is none; add -c createExample=true');
  }
  if (layerArn !== undefined) {
    for (const runtime of versions.keys()) {
      wrong(
        versionFlag(runtime),
        'is the version of a layer to build, and layerArn names one that exists; remove one of the two',
      );
    }
  }
  return { flags: { architecture, versions, createExample, layerArn, functionUrl }, problems };
}

/** @throws LayersError `InvalidFlags`, with all problems in one message; nothing without problems */
export function refuseFlags(problems: readonly FlagProblem[]): void {
  if (problems.length === 0) return;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map(({ flag, message }) => `  - ${flag}: ${message}`);
  throw new LayersError('InvalidFlags', `context flags have ${count}:\n${lines.join('\n')}`);
}

type Wrong = (flag: string, message: string) => void;

function readArchitecture(context: Context, wrong: Wrong): Architecture {
  const value = context.architecture;
  if (value === undefined) return 'arm64';
  const found = ARCHITECTURES.find((architecture) => architecture === value);
  if (found) return found;
  const meant = meantArchitecture(text(value));
  const cure = meant ? `Lambda's word is ${meant}` : `use ${ARCHITECTURES.join(' or ')}`;
  wrong('architecture', `is not one of Lambda's architectures; ${cure}`);
  return meant ?? 'arm64';
}

function readVersions(
  context: Context,
  runtimes: readonly Runtime[],
  wrong: Wrong,
): Map<string, string> {
  const versions = new Map<string, string>();
  for (const flag of Object.keys(context).filter(isVersionFlag)) {
    const runtime = runtimes.find(({ name }) => versionFlag(name) === flag);
    const value = text(context[flag]);
    if (!runtime) {
      const flags = runtimes.map(({ name }) => versionFlag(name)).join(', ');
      wrong(flag, `belongs to no runtime; the flags are ${flags}`);
    } else if (!isVersion(value)) {
      const [newest] = pinnedVersions(runtime);
      wrong(flag, `is not a version; write for example ${newest} or ${newest.split('.')[0]}`);
    } else {
      versions.set(runtime.name, value);
    }
  }
  return versions;
}

function readCreateExample(context: Context, wrong: Wrong): boolean {
  const value = context.createExample;
  if (value === undefined) return false;
  if (text(value) === 'true' || text(value) === 'false') return text(value) === 'true';
  wrong('createExample', 'is neither true nor false');
  return false;
}

function readFunctionUrl(context: Context, wrong: Wrong): UrlAccess | undefined {
  const value = context.functionUrl;
  if (value === undefined || text(value) === 'false') return undefined;
  if (value === 'iam' || value === 'public') return value;
  wrong(
    'functionUrl',
    'is not a way to reach the function; use iam for callers of your account, or public for everybody on the internet',
  );
  return undefined;
}

function readLayerArn(
  context: Context,
  architecture: Architecture,
  region: string | undefined,
  wrong: Wrong,
): string | undefined {
  if (context.layerArn === undefined) return undefined;
  const arn = text(context.layerArn);
  const fault = layerArnFault(arn);
  if (fault !== undefined) {
    wrong('layerArn', fault);
    return arn;
  }
  const layer = parseLayerArn(arn);
  if (region !== undefined && layer.region !== region) {
    wrong(
      'layerArn',
      `is in ${layer.region}, and the stack goes to ${region}; use a layer of ${region}, or set AWS_REGION=${layer.region}`,
    );
  }
  const own = parseLayerName(layer.name);
  if (own && own.architecture !== architecture) {
    wrong(
      'layerArn',
      `is a layer for ${own.architecture}; add -c architecture=${own.architecture}`,
    );
  }
  return arn;
}

function isWrong(problems: readonly FlagProblem[], flag: string): boolean {
  return problems.some((problem) => problem.flag === flag);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
