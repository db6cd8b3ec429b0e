import type { BuiltLayer } from '../constructs/runtime-layer';
import { LayersError } from '../errors';
import type { Runtime } from '../layers';
import { pinnedVersions, type ResolvedVersion, resolveVersion } from '../layers/versions';
import { buildVersions, type LayerSources } from './build-layer';
import {
  type FlagProblem,
  readFlags,
  refuseFlags,
  type StandaloneFlags,
  type Surroundings,
  versionFlag,
} from './flags';

/** Everything that the standalone stacks are made of: no construct looks for more. */
export interface StandalonePlan {
  readonly flags: StandaloneFlags;
  readonly runtimes: readonly StandaloneRuntime[];
}

/** One runtime's share of the plan. */
export interface StandaloneRuntime {
  readonly runtime: Runtime;
  /** Layer to publish; none where `layerArn` names one that exists. */
  readonly build?: BuiltLayer;
}

export interface PrepareOptions extends Surroundings, LayerSources {
  readonly runtimes: readonly Runtime[];
  /** Where layers are built to, and found. */
  readonly layersDir: string;
  /** Called with one line for what takes long, or should be known. */
  readonly onNotice?: (line: string) => void;
}

/**
 * Checks the flags and builds the layers that are missing.
 *
 * A version flag narrows the plan to the runtimes that have one; without, it holds all of them,
 * because the CDK CLI does not tell which stacks it will deploy.
 *
 * @throws LayersError `InvalidFlags` with all problems in one message, and what a build throws
 */
export async function prepareStandalone(
  context: Readonly<Record<string, unknown>>,
  options: PrepareOptions,
): Promise<StandalonePlan> {
  const { flags, problems } = readFlags(context, options.runtimes, options);
  if (flags.layerArn !== undefined) {
    refuseFlags(problems);
    return { flags, runtimes: options.runtimes.map((runtime) => ({ runtime })) };
  }
  const asked = options.runtimes.filter(
    ({ name }) => flags.versions.size === 0 || flags.versions.has(name),
  );
  const { versions, unknown } = await resolveVersions(asked, flags, options);
  refuseFlags([...problems, ...unknown]);
  const builds = await buildVersions(versions, { ...options, outDir: options.layersDir });
  return {
    flags,
    runtimes: versions.map(({ runtime }, index) => ({ runtime, build: builds[index] })),
  };
}

async function resolveVersions(
  runtimes: readonly Runtime[],
  flags: StandaloneFlags,
  sources: LayerSources,
): Promise<{ versions: ResolvedVersion[]; unknown: FlagProblem[] }> {
  const versions: ResolvedVersion[] = [];
  const unknown: FlagProblem[] = [];
  for (const runtime of runtimes) {
    const wanted = flags.versions.get(runtime.name) ?? pinnedVersions(runtime)[0];
    try {
      versions.push(await resolveVersion(runtime, wanted, flags.architecture, sources));
    } catch (error) {
      if (!(error instanceof LayersError)) throw error;
      unknown.push({ flag: versionFlag(runtime.name), message: error.message });
    }
  }
  return { versions, unknown };
}
