import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import pacote from 'pacote';
import ssri from 'ssri';
import { Parser, type ReadEntry } from 'tar';
import { readZipEntries } from '../archive';
import { LayersError, reasonOf } from '../errors';
import type { LayerSource, PackageSource } from '../release';
import { type NpmOptions, npmOptions } from './npm-config';

/** Gives a package's tarball; `readSource` checks its bytes. */
export type FetchTarball = (source: PackageSource) => Promise<Buffer>;

/** Gives the file at a URL as it is today; `readSource` checks an archive's bytes. */
export type FetchFile = (url: string) => Promise<Buffer>;

/** The registry answered, and would answer the same again. */
const FINAL_CODES = ['E401', 'E403', 'E404', 'ETARGET', 'EINTEGRITY', 'ENOTCACHED', 'ENOSPC'];

/**
 * Fetches through npm's own cache, registry, proxy and retry settings.
 *
 * @param options pacote's, the user's npm configuration by default
 * @throws LayersError `IntegrityMismatch`, `PackageNotFound`, `DownloadFailed`
 */
export function npmFetch(options?: NpmOptions): FetchTarball {
  const attempts = retrying(options);
  return (source) =>
    attempts(async (settings) => {
      try {
        return await download(source, settings);
      } catch (cause) {
        throw downloadError(source, cause);
      }
    });
}

/**
 * Fetches any file through npm's own proxy, certificate and retry settings.
 *
 * @param options pacote's, the user's npm configuration by default
 * @throws LayersError `FileNotFound`, `DownloadFailed`
 */
export function fileFetch(options?: NpmOptions): FetchFile {
  // Without a way to the site a person should know at once, not after npm's minutes.
  const attempts = retrying(options, [...FINAL_CODES, 'ENOTFOUND']);
  return (url) =>
    attempts(async (settings) => {
      try {
        // Without npm's cache: wrong bytes must not be found there the next time.
        const { cache: _cache, ...online } = settings;
        return await pacote.tarball(url, { ...online, retry: { retries: 0 } });
      } catch (cause) {
        throw fileError(url, cause);
      }
    });
}

/** Names a source in a message: `tiny@1.0.0`, or a URL. */
export function describeSource(source: LayerSource): string {
  return 'url' in source ? source.url : `${source.package}@${source.version}`;
}

/**
 * Named files of a package or of a vendor's archive, by their path in it.
 *
 * @throws LayersError `IntegrityMismatch`, `MissingInPackage`, `UnreadablePackage`, and what
 * the fetching throws
 */
export async function readSource(
  source: LayerSource,
  paths: readonly string[],
  {
    fetchTarball,
    fetchFile,
  }: { readonly fetchTarball: FetchTarball; readonly fetchFile: FetchFile },
): Promise<ReadonlyMap<string, Buffer>> {
  const archive = await ('url' in source ? fetchFile(source.url) : fetchTarball(source));
  if (!ssri.checkData(archive, source.integrity)) throw integrityError(source);
  const files = await unpack(source, archive, new Set(paths));
  const missing = paths.filter((path) => !files.has(path));
  if (missing.length > 0) {
    throw new LayersError(
      'MissingInPackage',
      `${describeSource(source)} holds no file ${missing.join(', ')}; check the paths in runtime.json`,
    );
  }
  return files;
}

/** Runs something with npm's settings, again as often as these say. */
function retrying(options?: NpmOptions, finalCodes: readonly string[] = FINAL_CODES) {
  let resolved: Promise<NpmOptions> | undefined;
  return async <T>(attempt: (settings: NpmOptions) => Promise<T>): Promise<T> => {
    resolved ??= options ? Promise.resolve(options) : npmOptions();
    const settings = await resolved;
    const { default: pRetry } = await import('p-retry');
    return pRetry(() => attempt(settings), {
      retries: Number(settings.fetchRetries ?? 2),
      factor: Number(settings.fetchRetryFactor ?? 10),
      minTimeout: Number(settings.fetchRetryMintimeout ?? 10_000),
      maxTimeout: Number(settings.fetchRetryMaxtimeout ?? 60_000),
      randomize: true,
      shouldRetry: (error) => !finalCodes.includes(codeOf(error.cause)),
    });
  };
}

async function download(source: PackageSource, options: NpmOptions): Promise<Buffer> {
  // npm's client repeats requests only; the caller repeats a body that broke off, too.
  const settings = { ...options, integrity: source.integrity, retry: { retries: 0 } };
  try {
    // The content is pinned, so npm's cached index of versions is as good as a new one …
    return await pacote.tarball(describeSource(source), { ...settings, preferOffline: true });
  } catch (error) {
    // … except where it is older than the version.
    if (codeOf(error) !== 'ETARGET' || options.offline) throw error;
    return await pacote.tarball(describeSource(source), { ...settings, preferOnline: true });
  }
}

function downloadError(source: PackageSource, cause: unknown): LayersError {
  const code = codeOf(cause);
  if (code === 'EINTEGRITY') return integrityError(source, cause);
  const reason = reasonOf(cause);
  if (code === 'E404' || code === 'ETARGET') {
    return new LayersError(
      'PackageNotFound',
      `the registry has no ${describeSource(source)}: ${reason}; check the version and npm's registry`,
      { cause },
    );
  }
  return new LayersError(
    'DownloadFailed',
    `${describeSource(source)} could not be downloaded: ${reason}; check the network and "npm config list"`,
    { cause },
  );
}

function fileError(url: string, cause: unknown): LayersError {
  const code = codeOf(cause);
  const reason = reasonOf(cause);
  if (code === 'E404') {
    return new LayersError('FileNotFound', `there is no ${url}; check the version`, { cause });
  }
  return new LayersError(
    'DownloadFailed',
    `${url} could not be downloaded: ${reason}; check the network and npm's proxy settings ("npm config list")`,
    { cause },
  );
}

function integrityError(source: LayerSource, cause?: unknown): LayersError {
  const fault =
    'url' in source
      ? `does not have the SHA-256 that ${source.checksums.url} names`
      : `does not have the pinned integrity ${source.integrity}`;
  return new LayersError(
    'IntegrityMismatch',
    `${describeSource(source)} ${fault}; do not use it before you know who changed it`,
    { cause },
  );
}

/** The first folder of a tarball is stripped, as npm does; a zip's paths are taken as they are. */
async function unpack(
  source: LayerSource,
  archive: Buffer,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Buffer>> {
  const isZip = 'url' in source && source.url.endsWith('.zip');
  try {
    return await (isZip ? readZipEntries(archive, wanted) : untar(archive, wanted));
  } catch (cause) {
    throw new LayersError(
      'UnreadablePackage',
      `${describeSource(source)} is no ${isZip ? 'zip' : 'npm package or gzipped tarball'}: ${cause}`,
      { cause },
    );
  }
}

async function untar(tarball: Buffer, wanted: ReadonlySet<string>): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry: ReadEntry) => {
      // npm strips the first folder, which is mostly but not always called "package".
      const path = entry.path.split('/').slice(1).join('/');
      if (!wanted.has(path) || !/^(Old)?File$/.test(entry.type)) {
        entry.resume();
        return;
      }
      const chunks: Buffer[] = [];
      entry.on('data', (chunk) => chunks.push(chunk));
      entry.on('end', () => files.set(path, Buffer.concat(chunks)));
    },
  });
  await new Promise<void>((resolve, reject) => {
    parser.on('error', reject);
    parser.on('end', resolve);
    // Interpreters unpack to 100 MB: in pieces of 16 KB these cost half a second more.
    const gunzip = createGunzip({ chunkSize: 1 << 20 });
    gunzip.on('error', reject);
    Readable.from([tarball]).pipe(gunzip).pipe(parser);
  });
  return files;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}
