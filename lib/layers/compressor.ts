import { join } from 'node:path';
import { cacheRoot } from '../cache-root';
import { LayersError } from '../errors';
import { sha256Hex, sha256OfFile } from '../hash';
import { writeWhole } from '../write';
import { describeSource, type FetchTarball, fileFetch, readSource } from './download';

/**
 * The Bun whose libdeflate compresses, whatever version the Bun layers have. Another one may give
 * other bytes; a test holds those of this one, and `ZIP_FORMAT` has to change with them.
 */
const VERSION = '1.4.5';
const PROGRAM = 'bin/bun';

interface Build {
  readonly package: string;
  /** Of the npm tarball. */
  readonly integrity: string;
  /** Of the program in it, so that one that was unpacked before is checked, too. */
  readonly sha256: string;
}

/** By machine. Those of x64 are the builds that need no AVX2. */
const BUILDS: Readonly<Record<string, Build>> = {
  'linux-x64': {
    package: '@oven/bun-linux-x64-baseline',
    integrity:
      'sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==',
    sha256: 'f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083',
  },
  'linux-arm64': {
    package: '@oven/bun-linux-aarch64',
    integrity:
      'sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
    sha256: '04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923',
  },
  'linux-x64-musl': {
    package: '@oven/bun-linux-x64-musl-baseline',
    integrity:
      'sha512-cWJhU8h0+MiUgpSt99sQhjxLIIosKEcKYdtKddohokUvAuN6jKOy7g7+QDTZTXtwHxz93wL3BX+L6wXVPDUH3A==',
    sha256: 'cf5d285ddbe256785a5121a3c113191a6b577504976374c7cfd5aedca609b720',
  },
  'linux-arm64-musl': {
    package: '@oven/bun-linux-aarch64-musl',
    integrity:
      'sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==',
    sha256: '9c48986093073afec8b76a3e285303598dd2462f52748aecb65e4d94866e1ea3',
  },
  'darwin-x64': {
    package: '@oven/bun-darwin-x64-baseline',
    integrity:
      'sha512-zqfLA5A4B+hYMh5WYzYSot3uZ06FzhdP0OEwQisEzdirYtXGj5cQFlfy31BGfNsAsk1Gd/w/OxJ/jqqJ3cMclw==',
    sha256: '88f97645b270aef20f9f9442f1658461cab3e7128e658af4615144e3396f084a',
  },
  'darwin-arm64': {
    package: '@oven/bun-darwin-aarch64',
    integrity:
      'sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRjbJxYUJaR901fsN8JfZOa+CsWpWQ==',
    sha256: 'e2984124f1514e1e6bbda20adedbf07a02c443c6a5828853a15c7c7abf78e19f',
  },
};

/**
 * The Bun that compresses on this machine. It is fetched where it is not in the cache, or not whole
 * there; builds that run at once may each fetch it, and the last one's stays.
 *
 * @param machine one for which a `Build` is known
 * @returns path of the program
 * @throws LayersError `MachineNotSupported`, `WriteFailed`, and what `readSource` throws
 */
export async function ensureCompressor(
  fetchTarball: FetchTarball,
  machine = thisMachine(),
): Promise<string> {
  const build = BUILDS[machine];
  if (build === undefined) {
    throw new LayersError(
      'MachineNotSupported',
      `layers are compressed by Bun's libdeflate on ${Object.keys(BUILDS).join(', ')}, and this is ${machine}; build them on one of these, for example in a Linux container`,
    );
  }
  const file = join(cacheRoot(), `bun-${VERSION}-${machine}`);
  // No such file, or none that can be read: it is fetched.
  const cached = await sha256OfFile(file, 'hex').catch(() => undefined);
  if (cached === build.sha256) return file;
  const { package: name, integrity, sha256 } = build;
  const source = { package: name, version: VERSION, integrity };
  try {
    const found = await readSource(source, [PROGRAM], { fetchTarball, fetchFile: fileFetch() });
    const program = found.get(PROGRAM) as Buffer;
    if (sha256Hex(program) !== sha256) {
      throw new LayersError(
        'IntegrityMismatch',
        `${PROGRAM} of ${describeSource(source)} does not have the pinned SHA-256 ${sha256}; do not use it before you know who changed it`,
      );
    }
    await writeWhole(file, program, 0o755);
  } catch (error) {
    if (!(error instanceof LayersError)) throw error;
    throw new LayersError(
      error.code,
      `layers are compressed by Bun's libdeflate, whatever their runtime: ${error.message}`,
      { cause: error },
    );
  }
  return file;
}

/** `linux-x64`, with `-musl` where the C library is not glibc. */
function thisMachine(): string {
  const machine = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return machine;
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const { excludeNetwork } = report;
  // Names of hosts would be looked up, and waited for.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime === undefined ? `${machine}-musl` : machine;
}
