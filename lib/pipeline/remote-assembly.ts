import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
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
  copyFileSync(stack.templateFullPath, join(assembly.outdir, basename(stack.templateFullPath)));
  for (const target of targets) {
    const id = nameOf(target);
    const assetsId = `${id}.assets`;
    const place = <T>(value: T) =>
      replaced(value, {
        // The CDK CLI replaces these two as well, but takes the account of its own credentials for
        // that of an asset.
        [`\${AWS::AccountId}`]: target.account,
        [`\${AWS::Region}`]: target.region,
        [assets.id]: assetsId,
      });
    const { files, ...rest } = place(readAssetManifest(assets.file));
    for (const { destinations } of Object.values(files)) {
      for (const destination of Object.values(destinations)) destination.region = target.region;
    }
    const file = `${assetsId}.json`;
    writeFileSync(join(assembly.outdir, file), JSON.stringify({ ...rest, files }, undefined, 2));
    const { type, properties } = assets.manifest;
    assembly.addArtifact(assetsId, { type, properties: { ...properties, file } });
    const { additionalMetadataFile, ...manifest } = place(stack.manifest);
    assembly.addArtifact(id, {
      ...manifest,
      environment: `aws://${target.account}/${target.region}`,
      displayName: id,
    });
  }
  assembly.buildAssembly();
}

interface AssetManifest {
  readonly files: Record<string, { readonly destinations: Record<string, { region?: string }> }>;
}

function readAssetManifest(file: string): AssetManifest {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function replaced<T>(value: T, texts: Readonly<Record<string, string>>): T {
  let json = JSON.stringify(value);
  for (const [text, by] of Object.entries(texts)) json = json.replaceAll(text, by);
  return JSON.parse(json);
}
