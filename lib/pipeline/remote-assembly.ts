import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { App, Stage } from 'aws-cdk-lib';
import { AssetManifestArtifact, CloudAssemblyBuilder } from 'aws-cdk-lib/cx-api';
import type { ReleaseTarget } from '../release';

export interface RemoteAssemblyProps {
  /** Folder in the app's cloud assembly. */
  readonly name: string;
  /** A stage with one stack that fits any target. */
  readonly stage: Stage;
  readonly targets: readonly ReleaseTarget[];
  /** Name of the stack of a target in the CDK CLI's output. */
  readonly nameOf: (target: ReleaseTarget) => string;
}

/**
 * Writes a cloud assembly that has, for each target, a stack of the stage's template: what the CDK
 * CLI needs for places that CloudFormation actions would reach by themselves.
 *
 * It is no part of the app's own assembly, because CDK checks a template once for each stack there.
 */
export function writeRemoteAssembly({ name, stage, targets, nameOf }: RemoteAssemblyProps): void {
  const [stack] = stage.synth().stacks;
  const [assets] = stack.dependencies.filter(AssetManifestArtifact.isAssetManifestArtifact);
  const assembly = new CloudAssemblyBuilder(join((stage.node.root as App).outdir, name));
  for (const target of targets) {
    const id = nameOf(target);
    const placed = (text: string) =>
      replaced(text, {
        // The CDK CLI replaces these two as well, but takes the account of its own credentials for
        // that of an asset.
        '${AWS::AccountId}': target.account,
        '${AWS::Region}': target.region,
        // Names of files; and paths of constructs, by which the CLI tells what failed. A path begins
        // a text, so that nothing else is one: names of parameters begin with a slash.
        [stack.id]: id,
        [`"${stage.node.path}/`]: `"${stage.node.path.replace(/[^/]+$/, id)}/`,
      });
    const copy = (file: string, change = placed) =>
      writeFileSync(
        join(assembly.outdir, placed(basename(file))),
        change(readFileSync(file, 'utf8')),
      );
    copy(stack.templateFullPath);
    copy(assets.file, (text) => inRegion(placed(text), target.region));
    assembly.addArtifact(placed(assets.id), JSON.parse(placed(JSON.stringify(assets.manifest))));
    const { additionalMetadataFile, ...manifest } = stack.manifest;
    assembly.addArtifact(id, {
      ...JSON.parse(placed(JSON.stringify(manifest))),
      environment: `aws://${target.account}/${target.region}`,
    });
  }
  assembly.buildAssembly();
}

/** An asset manifest, all destinations of which are in a region. */
function inRegion(text: string, region: string): string {
  const manifest: {
    readonly files: Record<string, { readonly destinations: Record<string, { region?: string }> }>;
  } = JSON.parse(text);
  for (const { destinations } of Object.values(manifest.files)) {
    for (const destination of Object.values(destinations)) destination.region = region;
  }
  return JSON.stringify(manifest, undefined, 2);
}

function replaced(text: string, by: Readonly<Record<string, string>>): string {
  return Object.entries(by).reduce((result, [from, to]) => result.replaceAll(from, to), text);
}
