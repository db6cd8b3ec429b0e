import { LayersError } from '../errors';
import { sha256Hex } from '../hash';
import { ARCHITECTURES, type Architecture, type VendorSource } from '../release';
import { type FetchFile, fileFetch } from './download';

/** What a runtime's vendor has of one version on its own download site. */
export interface VendorVersion {
  /** Base address of the site. */
  readonly site: string;
  /** Archives with a published checksum; none for an architecture that the vendor did not build. */
  readonly archives: Partial<Record<Architecture, VendorSource>>;
}

/** Looks an exact version up at the vendor's; undefined for a runtime whose vendor is unknown. */
export type VendorLookup = (runtime: string, version: string) => Promise<VendorVersion | undefined>;

/** How a vendor names its files, relative to the site. */
interface Vendor {
  readonly site: string;
  /** Variable that names another site with the same files, such as a company's mirror. */
  readonly variable: string;
  readonly archive: (version: string, architecture: Architecture) => string;
  /** File with the SHA-256 of the archive. */
  readonly checksums: (version: string, architecture: Architecture) => string;
}

const nodeArchive = (version: string, architecture: Architecture) =>
  `v${version}/node-v${version}-linux-${architecture === 'arm64' ? 'arm64' : 'x64'}.tar.gz`;
const denoArchive = (version: string, architecture: Architecture) =>
  `v${version}/deno-${architecture === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu.zip`;

const VENDORS: Readonly<Record<string, Vendor>> = {
  deno: {
    site: 'https://github.com/denoland/deno/releases/download',
    variable: 'LAYERS_DENO_SITE',
    archive: denoArchive,
    checksums: (version, architecture) => `${denoArchive(version, architecture)}.sha256sum`,
  },
  node: {
    site: 'https://nodejs.org/dist',
    variable: 'LAYERS_NODE_SITE',
    archive: nodeArchive,
    checksums: (version) => `v${version}/SHASUMS256.txt`,
  },
};

/**
 * Looks versions up on the vendors' download sites, by their checksum files: what has no published
 * checksum could not be checked after the download, and does not count.
 *
 * @throws LayersError `InvalidSite`, `VersionLookupFailed`
 */
export function vendorLookup(
  fetchFile: FetchFile = fileFetch(),
  environment: NodeJS.ProcessEnv = process.env,
): VendorLookup {
  return async (runtime, version) => {
    const vendor = VENDORS[runtime];
    if (vendor === undefined) return undefined;
    const site = siteOf(vendor, environment);
    const files = new Map<string, Buffer | undefined>();
    const archives: Partial<Record<Architecture, VendorSource>> = {};
    for (const architecture of ARCHITECTURES) {
      const url = `${site}/${vendor.checksums(version, architecture)}`;
      if (!files.has(url)) files.set(url, await checksumFile(url, fetchFile));
      const archive = vendor.archive(version, architecture);
      const file = files.get(url);
      const sha256 = file && checksumOf(file, archive);
      if (file === undefined || sha256 === undefined) continue;
      archives[architecture] = {
        url: `${site}/${archive}`,
        version,
        integrity: `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`,
        checksums: { url, sha256: sha256Hex(file) },
      };
    }
    return { site, archives };
  };
}

/** The site that the environment names, or the vendor's own. */
function siteOf({ site, variable }: Vendor, environment: NodeJS.ProcessEnv): string {
  const named = environment[variable];
  if (named === undefined || named === '') return site;
  // Whoever can change what comes over plain HTTP can change the checksums, too.
  if (/^https:\/\/[^/]|^http:\/\/127\.0\.0\.1[:/]/.test(named)) return named.replace(/\/+$/, '');
  throw new LayersError(
    'InvalidSite',
    `${variable}: "${named}" is no https address; name a site with the files of ${site}, or unset it`,
  );
}

async function checksumFile(url: string, fetchFile: FetchFile): Promise<Buffer | undefined> {
  try {
    return await fetchFile(url);
  } catch (cause) {
    if (!(cause instanceof LayersError)) throw cause;
    if (cause.code === 'FileNotFound') return undefined;
    throw new LayersError('VersionLookupFailed', cause.message, { cause });
  }
}

/** Lines of `sha256sum`: 64 hex digits, then the file's name, with or without a folder. */
function checksumOf(file: Buffer, archive: string): string | undefined {
  const name = archive.slice(archive.lastIndexOf('/') + 1);
  return file
    .toString('latin1')
    .split(/\r?\n/)
    .map((line) => /^([0-9a-f]{64})\s+\*?(?:\S*\/)?(\S+)$/.exec(line))
    .find((match) => match?.[2] === name)?.[1];
}
