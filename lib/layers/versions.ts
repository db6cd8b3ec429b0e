import pacote from 'pacote';
import { LayersError, reasonOf } from '../errors';
import { ARCHITECTURES, type Architecture, type LayerSource } from '../release';
import { compareVersions } from './bases';
import { npmOptions } from './npm-config';
import type { Runtime } from './runtimes';
import { type VendorLookup, vendorLookup } from './vendors';

/** Versions of an npm package to the integrity of their tarballs. */
export type PackageVersions = (name: string) => Promise<ReadonlyMap<string, string>>;

/** A version of a runtime that can be built for an architecture. */
export interface ResolvedVersion {
  readonly runtime: Runtime;
  /** Exact version, `2.9.5`. */
  readonly version: string;
  readonly architecture: Architecture;
  /** Where the interpreter comes from. */
  readonly source: LayerSource;
  /** False when `runtime.json` does not hold the integrity: then who offers the file is trusted. */
  readonly pinned: boolean;
}

/** Where versions that are not pinned are looked up. */
export interface VersionSources {
  /** @default npmVersions() */
  readonly packageVersions?: PackageVersions;
  /** @default vendorLookup() */
  readonly vendorLookup?: VendorLookup;
}

/** Named in a message; more would hide what it says. */
const NAMED_VERSIONS = 8;

const EXACT = /^\d+\.\d+\.\d+$/;

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
 * pinned. What `runtime.json` does not pin is looked up on npm, a short version among those of both
 * architectures: then it means the same everywhere. An exact version that npm does not have for the
 * architecture is looked up on the vendor's own site.
 *
 * @throws LayersError `UnknownVersion` (it lists what exists), `VersionLookupFailed`, `InvalidSite`
 */
export async function resolveVersion(
  runtime: Runtime,
  wanted: string,
  architecture: Architecture,
  sources: VersionSources = {},
): Promise<ResolvedVersion> {
  const { plain, matches } = meaning(runtime, wanted);
  const fromNpm = (version: string, integrity: string, pinned: boolean) => {
    const source = { package: runtime.packages[architecture], version, integrity };
    return { runtime, version, architecture, source, pinned };
  };
  const pinned = pinnedVersions(runtime).find(matches);
  if (pinned !== undefined) {
    return fromNpm(pinned, runtime.versions[pinned][architecture], true);
  }

  const { packageVersions = npmVersions(), vendorLookup: lookUp = vendorLookup() } = sources;
  const { offers, offered } = await offersOfNpm(runtime, packageVersions);
  const version = offers[architecture].has(plain) ? plain : offered.find(matches);
  if (version !== undefined) {
    return fromNpm(version, offers[architecture].get(version) as string, false);
  }

  const onNpm = `${runtime.name} version "${wanted}" is not on npm for ${architecture}`;
  const vendor = EXACT.test(plain)
    ? await lookUp(runtime.name, plain).catch(after(onNpm))
    : undefined;
  const source = vendor?.archives[architecture];
  if (source) return { runtime, version: plain, architecture, source, pinned: false };
  const others = ARCHITECTURES.filter(
    (each) => vendor?.archives[each] || [...offers[each].keys()].some(matches),
  ).filter((each) => each !== architecture);
  const why =
    others.length > 0 ? `exists for ${others}, but not for ${architecture}` : 'does not exist';
  const elsewhere = vendor ? `; ${vendor.site} has no checksum of it for ${architecture}` : '';
  throw unknown(runtime, wanted, why, offered, elsewhere);
}

/**
 * A version that npm has for both architectures, pinned or not, with the integrities of its packages.
 *
 * @param wanted as in `resolveVersion`; without it the newest one
 * @throws LayersError `UnknownVersion` (it lists what exists), `VersionLookupFailed`
 */
export async function versionOfBoth(
  runtime: Runtime,
  wanted: string | undefined,
  packageVersions: PackageVersions,
): Promise<{ version: string; integrities: Record<Architecture, string> }> {
  const matches = wanted === undefined ? () => true : meaning(runtime, wanted).matches;
  const { offers, offered } = await offersOfNpm(runtime, packageVersions);
  const version = offered.find(matches);
  if (version === undefined) {
    const has = ARCHITECTURES.filter((each) => [...offers[each].keys()].some(matches));
    const why = has.length > 0 ? `is on npm for ${has.join(' and ')} alone` : 'is not on npm';
    throw unknown(runtime, wanted ?? 'newest', why, offered);
  }
  const [arm64, x86_64] = ARCHITECTURES.map((each) => offers[each].get(version) as string);
  return { version, integrities: { arm64, x86_64 } };
}

/** The versions that a text may stand for; @throws LayersError `UnknownVersion` for any other text */
function meaning(runtime: Runtime, wanted: string) {
  if (!isVersion(wanted)) throw unknown(runtime, wanted, 'is not a version');
  const plain = wanted.replace(/^v/, '');
  const matches = (version: string) => version === plain || version.startsWith(`${plain}.`);
  return { plain, matches };
}

/** What npm has for each architecture, and for both, newest first. */
async function offersOfNpm(
  { packages }: Runtime,
  packageVersions: PackageVersions,
): Promise<{ offers: Record<Architecture, ReadonlyMap<string, string>>; offered: string[] }> {
  const [arm64, x86_64] = await Promise.all(
    ARCHITECTURES.map((each) => packageVersions(packages[each])),
  );
  const offered = newestFirst([...arm64.keys()].filter((version) => x86_64.has(version)));
  return { offers: { arm64, x86_64 }, offered };
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
      const usable = usableVersions(await pacote.packument(name, await npmOptions()));
      if (usable.size > 0) return usable;
      throw new LayersError(
        'VersionLookupFailed',
        `the registry names no stable version of ${name} with a sha512 integrity; check "npm config get registry", or use a version that runtime.json pins`,
      );
    } catch (cause) {
      if (cause instanceof LayersError) throw cause;
      const reason = reasonOf(cause);
      throw new LayersError(
        'VersionLookupFailed',
        `the versions of ${name} could not be looked up: ${reason}; check the network and "npm config list", or use a version that runtime.json pins`,
        { cause },
      );
    }
  };
}

/** A registry's answer is not always whole: a company's mirror may leave parts out. */
function usableVersions({ versions }: { readonly versions?: object }): Map<string, string> {
  const usable = new Map<string, string>();
  for (const [version, published] of Object.entries(versions ?? {})) {
    const integrity = published?.dist?.integrity;
    if (typeof integrity !== 'string' || !integrity.startsWith('sha512-')) continue;
    if (EXACT.test(version)) usable.set(version, integrity);
  }
  return usable;
}

function newestFirst(versions: readonly string[]): string[] {
  return [...versions].sort(compareVersions).reverse();
}

/** Says first what was found out before a look-up failed. */
function after(said: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof LayersError)) throw cause;
    throw new LayersError(cause.code, `${said}, and ${cause.message}`, { cause });
  };
}

function unknown(
  runtime: Runtime,
  wanted: string,
  why: string,
  offered: readonly string[] = [],
  elsewhere = '',
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
    `${runtime.name} version "${wanted}" ${why}; runtime.json pins ${pinned.join(', ') || 'none yet'}${npm}${elsewhere}`,
  );
}
