import { LayersError } from '../errors';
import { ARCHITECTURES, type Architecture } from '../release';
import { compareVersions } from './bases';
import { findRuntime, type Runtime } from './runtimes';
import type { RuntimeSelection } from './specs';

/** What a user typed; an absent field means "as configured". */
export interface SelectionOptions {
  readonly runtimes?: readonly string[];
  readonly versions?: readonly string[];
  readonly architecture?: Architecture;
}

/**
 * Narrows the configured runtimes to what was asked for. A runtime that is not configured gives its
 * newest version on both architectures.
 *
 * @throws LayersError `UnknownRuntime`, `AmbiguousVersion`, `NothingToBuild`
 */
export function selectRuntimes(
  options: SelectionOptions,
  configured: readonly RuntimeSelection[],
  available: readonly Runtime[],
): RuntimeSelection[] {
  const names = options.runtimes ?? configured.map((runtime) => runtime.name);
  if (names.length === 0) {
    throw new LayersError(
      'NothingToBuild',
      `no cdk.json here configures a runtime; name one, for example --runtime ${available[0].name}`,
    );
  }
  if (options.versions && names.length !== 1) {
    throw new LayersError(
      'AmbiguousVersion',
      `--version ${options.versions.join(',')} could mean ${names.join(' or ')}; add --runtime with one name`,
    );
  }
  const selected = names
    .map((name) => findRuntime(name, available))
    .map((runtime) => {
      const known = configured.find(({ name }) => name === runtime.name);
      const { versions, architectures } = known ?? {
        versions: [newestVersion(runtime)],
        architectures: ARCHITECTURES,
      };
      return {
        name: runtime.name,
        versions: options.versions ?? versions,
        architectures: architectures.filter(
          (architecture) => (options.architecture ?? architecture) === architecture,
        ),
      };
    });
  if (selected.every(({ architectures }) => architectures.length === 0)) {
    throw new LayersError(
      'NothingToBuild',
      `no configured runtime has architecture ${options.architecture}; add it to "delivery.runtimes" in cdk.json`,
    );
  }
  return selected;
}

function newestVersion(runtime: Runtime): string {
  return Object.keys(runtime.versions).sort(compareVersions).at(-1) as string;
}
