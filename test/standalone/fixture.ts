import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { context as shipped } from '../../cdk.json';
import type { BuiltLayer } from '../../lib/constructs';
import { findRuntime, loadRuntimes } from '../../lib/layers';
import type { VendorLookup } from '../../lib/layers/vendors';
import type { PackageVersions } from '../../lib/layers/versions';
import type { Architecture, LayerManifest } from '../../lib/release';
import { readFlags, refuseFlags } from '../../lib/standalone/flags';
import { addStandaloneStacks } from '../../lib/standalone/stacks';
import { fakeLayer } from '../pipeline/fixture';
import { temporaryFolder } from '../temporary-folder';

export const REGION = 'eu-west-1';
export const ENV = { account: '999999999999', region: REGION };
export const ARN = `arn:aws:lambda:${REGION}:123456789012:layer:somebodys-layer:3`;

/** A layer as `buildRuntimeLayer` answers it, its zip a few bytes. */
export function fakeBuild(
  runtime: string,
  version: string,
  architecture: Architecture,
  seed?: string,
): BuiltLayer {
  const manifest: LayerManifest = {
    ...fakeLayer(runtime, version, architecture, seed),
    glibc: '2.27',
    files: [],
    inputs: ''.padEnd(64, '0'),
  };
  const zip = join(temporaryFolder(), `${manifest.name}.zip`);
  writeFileSync(zip, manifest.name);
  return { manifest, zip };
}

/** npm as it would answer: versions of a package that both architectures have, and others. */
export const packageVersions: PackageVersions = async (name) =>
  new Map(
    ['1.46.3', '2.7.7', '2.9.5', '3.0.0', ...(name.includes('arm64') ? ['2.8.0'] : ['2.6.0'])].map(
      (version) => [version, `sha512-${'A'.repeat(86)}==`],
    ),
  );

/** No vendor has anything. */
export const noVendor: VendorLookup = async () => undefined;

/** An app with the stacks that the flags ask for, its layers not really built. */
export function appOf(
  flags: Record<string, unknown>,
  options: { versions?: Record<string, string>; seed?: string; nag?: boolean } = {},
): App {
  const { versions = { deno: '2.9.5', node: '24.21.0' }, seed, nag = false } = options;
  const app = new App({ context: shipped, outdir: temporaryFolder() });
  if (nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const runtimes = loadRuntimes().filter(({ name }) => name in versions);
  const read = readFlags(flags, runtimes, { region: REGION });
  refuseFlags(read.problems);
  const plan = {
    flags: read.flags,
    runtimes: Object.entries(versions).map(([name, version]) => ({
      runtime: findRuntime(name, runtimes),
      ...(read.flags.layerArn === undefined && {
        build: fakeBuild(name, version, read.flags.architecture, seed),
      }),
    })),
  };
  addStandaloneStacks(app, plan, ENV);
  return app;
}
