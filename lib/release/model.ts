/** Plain data that the build, the CDK app, the publish and smoke actions and the rehearsal share. */

/** A processor architecture, in Lambda's own spelling. */
export type Architecture = 'arm64' | 'x86_64';

export const ARCHITECTURES: readonly Architecture[] = ['arm64', 'x86_64'];

/** Words of other tools for Lambda's architectures. */
const OTHER_WORDS: ReadonlyMap<string, Architecture> = new Map([
  ['aarch64', 'arm64'],
  ['arm', 'arm64'],
  ['graviton', 'arm64'],
  ['amd64', 'x86_64'],
  ['x64', 'x86_64'],
  ['x86', 'x86_64'],
  ['x86-64', 'x86_64'],
]);

/** The architecture that a word most likely means which is not Lambda's own for it. */
export function meantArchitecture(word: string): Architecture | undefined {
  const plain = word.trim().toLowerCase();
  return OTHER_WORDS.get(plain) ?? ARCHITECTURES.find((architecture) => architecture === plain);
}

/** One file of a layer's tree. */
export interface LayerFile {
  /** Path inside the zip, with forward slashes, relative to `/opt`. */
  readonly path: string;
  /** POSIX permission bits, 0o755 or 0o644. */
  readonly mode: number;
  /** Size in bytes. */
  readonly bytes: number;
  /** SHA-256 of the content, 64 hex digits. */
  readonly sha256: string;
}

/** An interpreter out of an npm package. */
export interface PackageSource {
  readonly package: string;
  readonly version: string;
  /** Subresource integrity of the tarball, `sha512-…`. */
  readonly integrity: string;
}

/** An interpreter from its vendor's own download site. */
export interface VendorSource {
  /** Address of the archive. */
  readonly url: string;
  readonly version: string;
  /** Subresource integrity of the archive, `sha256-…`, as the checksum file has it. */
  readonly integrity: string;
  /** The file that was believed: its address, and the SHA-256 of its bytes in hex. */
  readonly checksums: { readonly url: string; readonly sha256: string };
}

export type LayerSource = PackageSource | VendorSource;

/** What `dist/layers/<name>.json` says of the zip beside it. */
export interface LayerManifest {
  readonly schemaVersion: 1;
  /** Runtime folder's name, `deno`. */
  readonly runtime: string;
  /** Exact version of the interpreter, `2.9.5`. */
  readonly version: string;
  readonly architecture: Architecture;
  /** Layer name, `<runtime>-<version with underscores>-<arch>-<first 12 hex digits of digest>`. */
  readonly name: string;
  /** SHA-256 over the file tree and the metadata that Lambda stores, 64 hex digits. */
  readonly digest: string;
  /** SHA-256 of the zip, base64: what Lambda reports as CodeSha256. */
  readonly codeSha256: string;
  readonly zipBytes: number;
  readonly unzippedBytes: number;
  /** SPDX identifier of the interpreter's licence. */
  readonly license: string;
  readonly description: string;
  /** Lambda's runtime identifiers, `provided.al2023`. */
  readonly compatibleRuntimes: readonly string[];
  /** Where the interpreter came from. */
  readonly source: LayerSource;
  /** Newest glibc symbol version that the interpreter needs, `2.28`. */
  readonly glibc: string;
  readonly files: readonly LayerFile[];
  /** Fingerprint (64 hex digits) of everything the build read: the same value, the same layer. */
  readonly inputs: string;
}

/** A layer as the release plan carries it. */
export type ReleaseLayer = Omit<LayerManifest, 'files' | 'inputs' | 'glibc'>;

/** What a release says of a built layer. */
export function releaseLayer(manifest: LayerManifest): ReleaseLayer {
  const { files: _files, inputs: _inputs, glibc: _glibc, ...layer } = manifest;
  return layer;
}

/** The example function's zip: the same for both architectures. */
export interface ExampleManifest {
  readonly runtime: string;
  /** SHA-256 over the file tree, 64 hex digits. */
  readonly digest: string;
  /** SHA-256 of the zip, base64. */
  readonly codeSha256: string;
  readonly zipBytes: number;
  /** Lambda handler string, `mod.handler`. */
  readonly handler: string;
}

/** One layer in one target: every name is known before anything is deployed. */
export interface TargetLayer {
  /** LayerManifest.name. */
  readonly name: string;
  /** ARN of version 1 of the layer, the one that is recorded. */
  readonly arn: string;
  /** Example function that attaches exactly `arn`. */
  readonly functionName: string;
}

/** An account and a region that receive the release. */
export interface ReleaseTarget {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  readonly wave: string;
  /** Bootstrap bucket that layer and example zips are copied to. */
  readonly bucket: string;
  /** ARN of the bootstrap role that may write to `bucket`. */
  readonly publishRoleArn: string;
  /** ARN of the bootstrap role that may read the target's settings. */
  readonly lookupRoleArn: string;
  /** ARN of the role that may read the layers back and invoke the example functions. */
  readonly smokeRoleArn: string;
  readonly layers: readonly TargetLayer[];
}

/** `release.json`: what the publish and smoke actions do, decided at synth time. */
export interface ReleasePlan {
  readonly schemaVersion: 1;
  /** Home region of the pipeline. */
  readonly homeRegion: string;
  /** Prefix of the SSM parameters, `/layers`. */
  readonly namespace: string;
  /** Name of the stack that holds the layer versions, in every target. */
  readonly publishStack: string;
  /** Name of the stack that holds the pointers, in every target. */
  readonly releaseStack: string;
  readonly layers: readonly ReleaseLayer[];
  readonly examples: readonly ExampleManifest[];
  readonly targets: readonly ReleaseTarget[];
}

/** One line of `smoke`'s result: one layer in one target. */
export interface SmokeCheck {
  readonly account: string;
  readonly region: string;
  /** LayerManifest.name. */
  readonly layer: string;
  readonly functionName: string;
  readonly ok: boolean;
  /** False where the rehearsal has no means to run the architecture; never on AWS. */
  readonly ran: boolean;
  readonly milliseconds: number;
  /** What was wrong, or why it did not run; empty when ok. */
  readonly message: string;
}

/** Key of a layer's zip in every bootstrap bucket. */
export function layerObjectKey(digest: string): string {
  return `layers/${digest}.zip`;
}

/** Key of an example function's zip in every bootstrap bucket. */
export function exampleObjectKey(digest: string): string {
  return `layers/examples/${digest}.zip`;
}

/** Layer name: same content, same name, so its version is 1 in every target. */
export function layerName(
  layer: Pick<LayerManifest, 'runtime' | 'version' | 'architecture' | 'digest'>,
): string {
  const version = layer.version.replace(/[^A-Za-z0-9]/g, '_');
  return `${layer.runtime}-${version}-${layer.architecture}-${layer.digest.slice(0, 12)}`;
}

/** What a name of `layerName` says; undefined for a name that only another product gives. */
export function parseLayerName(
  name: string,
): Pick<LayerManifest, 'runtime' | 'version' | 'architecture'> | undefined {
  const [, runtime, version, architecture] = LAYER_NAME.exec(name) ?? [];
  if (runtime === undefined) return undefined;
  return {
    runtime,
    version: version.replaceAll('_', '.'),
    architecture: architecture as Architecture,
  };
}

const LAYER_NAME = new RegExp(
  `^([a-z][a-z0-9]{0,15})-(\\d+_\\d+_\\d+)-(${ARCHITECTURES.join('|')})-[0-9a-f]{12}$`,
);

const LAYER_ARN =
  /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]{1,140}(?<version>:\d+)?$/;

/** What is wrong with a layer version's ARN and what to write, or undefined. */
export function layerArnFault(arn: string): string | undefined {
  const groups = LAYER_ARN.exec(arn)?.groups;
  if (!groups) {
    return 'is not the ARN of a layer version; it looks like arn:aws:lambda:eu-west-1:123456789012:layer:name:1';
  }
  return groups.version ? undefined : 'lacks the number of the version; add for example :1';
}

/** Region and name of a layer version's ARN that has no fault. */
export function parseLayerArn(arn: string): { readonly region: string; readonly name: string } {
  const [, , , region, , , name] = arn.split(':');
  return { region, name };
}
