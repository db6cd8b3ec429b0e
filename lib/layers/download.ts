import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import pacote from 'pacote';
import ssri from 'ssri';
import { Parser, type ReadEntry } from 'tar';
import { LayersError } from '../errors';
import { type NpmOptions, npmOptions } from './npm-config';

/** An npm package by exact version and pinned content. */
export interface PackageSource {
  readonly package: string;
  readonly version: string;
  /** Subresource integrity of the tarball, `sha512-…`. */
  readonly integrity: string;
}

/** Gives a package's tarball; `readPackage` checks its bytes. */
export type FetchTarball = (source: PackageSource) => Promise<Buffer>;

/** The registry answered, and would answer the same again. */
const FINAL_CODES = ['E401', 'E403', 'E404', 'ETARGET', 'EINTEGRITY', 'ENOTCACHED', 'ENOSPC'];

/**
 * Fetches through npm's own cache, registry, proxy and retry settings.
 *
 * @param options pacote's, the user's npm configuration by default
 * @throws LayersError `IntegrityMismatch`, `PackageNotFound`, `DownloadFailed`
 */
export function npmFetch(options?: NpmOptions): FetchTarball {
  let resolved: Promise<NpmOptions> | undefined;
  return async (source) => {
    resolved ??= options ? Promise.resolve(options) : npmOptions();
    const settings = await resolved;
    const { default: pRetry } = await import('p-retry');
    return pRetry(() => attempt(source, settings), {
      retries: Number(settings.fetchRetries ?? 2),
      factor: Number(settings.fetchRetryFactor ?? 10),
      minTimeout: Number(settings.fetchRetryMintimeout ?? 10_000),
      maxTimeout: Number(settings.fetchRetryMaxtimeout ?? 60_000),
      randomize: true,
      shouldRetry: (error) => !FINAL_CODES.includes(codeOf(error.cause)),
    });
  };
}

/**
 * Named files of a package, by their path in it.
 *
 * @throws LayersError `IntegrityMismatch`, `MissingInPackage`, `UnreadablePackage`, and what
 * `fetchTarball` throws
 */
export async function readPackage(
  source: PackageSource,
  paths: readonly string[],
  fetchTarball: FetchTarball,
): Promise<ReadonlyMap<string, Buffer>> {
  const tarball = await fetchTarball(source);
  if (!ssri.checkData(tarball, source.integrity)) throw integrityError(source);
  const files = await unpack(source, tarball, new Set(paths));
  const missing = paths.filter((path) => !files.has(path));
  if (missing.length > 0) {
    throw new LayersError(
      'MissingInPackage',
      `${named(source)} holds no file ${missing.join(', ')}; check the paths in runtime.json`,
    );
  }
  return files;
}

async function attempt(source: PackageSource, options: NpmOptions): Promise<Buffer> {
  try {
    return await download(source, options);
  } catch (cause) {
    throw downloadError(source, cause);
  }
}

async function download(source: PackageSource, options: NpmOptions): Promise<Buffer> {
  // npm's client repeats requests only; the caller repeats a body that broke off, too.
  const settings = { ...options, integrity: source.integrity, retry: { retries: 0 } };
  try {
    // The content is pinned, so npm's cached index of versions is as good as a new one …
    return await pacote.tarball(named(source), { ...settings, preferOffline: true });
  } catch (error) {
    // … except where it is older than the version.
    if (codeOf(error) !== 'ETARGET' || options.offline) throw error;
    return await pacote.tarball(named(source), { ...settings, preferOnline: true });
  }
}

function downloadError(source: PackageSource, cause: unknown): LayersError {
  const code = codeOf(cause);
  if (code === 'EINTEGRITY') return integrityError(source, cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (code === 'E404' || code === 'ETARGET') {
    return new LayersError(
      'PackageNotFound',
      `the registry has no ${named(source)}: ${reason}; check runtime.json and npm's registry`,
      { cause },
    );
  }
  return new LayersError(
    'DownloadFailed',
    `${named(source)} could not be downloaded: ${reason}; check the network and "npm config list"`,
    { cause },
  );
}

function integrityError(source: PackageSource, cause?: unknown): LayersError {
  return new LayersError(
    'IntegrityMismatch',
    `${named(source)} does not have the pinned integrity ${source.integrity}; ` +
      'do not use it before you know who changed it',
    { cause },
  );
}

async function unpack(
  source: PackageSource,
  tarball: Buffer,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Buffer>> {
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
  try {
    await new Promise<void>((resolve, reject) => {
      parser.on('error', reject);
      parser.on('end', resolve);
      const gunzip = createGunzip();
      gunzip.on('error', reject);
      Readable.from([tarball]).pipe(gunzip).pipe(parser);
    });
  } catch (cause) {
    throw new LayersError('UnreadablePackage', `${named(source)} is no npm package: ${cause}`, {
      cause,
    });
  }
  return files;
}

function named(source: PackageSource): string {
  return `${source.package}@${source.version}`;
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}
