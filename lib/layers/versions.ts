import pacote from 'pacote';
import { LayersError } from '../errors';
import { ARCHITECTURES, type Architecture } from '../release';
import { compareVersions } from './glibc';
import { npmOptions } from './npm-config';
import type { Runtime } from './runtimes';

/** Versions of an npm package to the integrity of their tarballs. */
export type PackageVersions = (name: string) => Promise<ReadonlyMap<string, string>>;

/** A version of a runtime that can be built. */
export interface ResolvedVersion {
  /** The runtime; one that is not pinned has the registry's integrities in it. */
  readonly runtime: Runtime;
  /** Exact version, `2.9.5`. */
  readonly version: string;
  /** False when `runtime.json` does not hold the integrity: then the registry's is trusted. */
  readonly pinned: boolean;
}

/** Named in a message; more would hide what it says. */
const NAMED_VERSIONS = 8;

/** Whether a text can be a version: exact or its first parts, with or without `v`. */
export function isVersion(text: string): boolean {
  return /^v?\d+(\.\d+){0,2}$/.test(text);
}

/** Pinned versions of a runtime, newest first. */
export function pinnedVersions(runtime: Runtime): string[] {
  return newestFirst(Object.keys(runtime.versions));
}

/**
 * The version that a person means: `2.9.5`, `v2.9.5`, or `2` and `2.9` for the newest one that is
 * pinned. What `runtime.json` does not pin is looked up on npm, where it must exist for both
 * architectures: then the layer has the same version everywhere.
 *
 * @throws LayersError `UnknownVersion` (it lists what exists), `VersionLookupFailed`
 */
export async function resolveVersion(
  runtime: Runtime,
  wanted: string,
  packageVersions: PackageVersions = npmVersions(),
): Promise<ResolvedVersion> {
  if (!isVersion(wanted)) throw unknown(runtime, wanted, 'is not a version');
  const plain = wanted.replace(/^v/, '');
  const matches = (version: string) => version === plain || version.startsWith(`${plain}.`);
  const pinned = pinnedVersions(runtime).find(matches);
  if (pinned !== undefined) return { runtime, version: pinned, pinned: true };

  const [arm64, x86_64] = await Promise.all(
    ARCHITECTURES.map((architecture) => packageVersions(runtime.packages[architecture])),
  );
  const offered = newestFirst([...arm64.keys()].filter((version) => x86_64.has(version)));
  const version = offered.find(matches);
  if (version === undefined) {
    const one = newestFirst([...arm64.keys(), ...x86_64.keys()]).find(matches);
    const lacking: Architecture = one !== undefined && arm64.has(one) ? 'x86_64' : 'arm64';
    throw unknown(
      runtime,
      wanted,
      one === undefined ? 'does not exist' : `exists, but not for ${lacking}`,
      offered,
    );
  }
  const versions = {
    ...runtime.versions,
    [version]: { arm64: arm64.get(version) as string, x86_64: x86_64.get(version) as string },
  };
  return { runtime: { ...runtime, versions }, version, pinned: false };
}

/**
 * Asks the registry that npm is configured for. Only stable versions with a sha512 integrity count:
 * nothing else could be checked after the download.
 *
 * @throws LayersError `VersionLookupFailed`
 */
export function npmVersions(): PackageVersions {
  return async (name) => {
    try {
      const { versions } = await pacote.packument(name, await npmOptions());
      return new Map(
        Object.entries(versions).flatMap(([version, { dist }]): [string, string][] => {
          const integrity = dist.integrity as string | undefined;
          const usable = /^\d+\.\d+\.\d+$/.test(version) && integrity?.startsWith('sha512-');
          return usable ? [[version, integrity as string]] : [];
        }),
      );
    } catch (cause) {
      if (cause instanceof LayersError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LayersError(
        'VersionLookupFailed',
        `the versions of ${name} could not be looked up: ${reason}; check the network and "npm config list", or use a version that runtime.json pins`,
        { cause },
      );
    }
  };
}

function newestFirst(versions: readonly string[]): string[] {
  return [...versions].sort(compareVersions).reverse();
}

function unknown(
  runtime: Runtime,
  wanted: string,
  why: string,
  offered: readonly string[] = [],
): LayersError {
  const pinned = pinnedVersions(runtime);
  const others = offered.filter((version) => !pinned.includes(version));
  const more = others.length > NAMED_VERSIONS ? ` and ${others.length - NAMED_VERSIONS} more` : '';
  const npm =
    others.length === 0
      ? ''
      : `; npm also has ${others.slice(0, NAMED_VERSIONS).join(', ')}${more}`;
  return new LayersError(
    'UnknownVersion',
    `${runtime.name} version "${wanted}" ${why}; runtime.json pins ${pinned.join(', ')}${npm}`,
  );
}
