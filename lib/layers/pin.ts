import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { Command } from 'commander';
import { applyEdits, modify } from 'jsonc-parser';
import { LayersError } from '../errors';
import { ARCHITECTURES } from '../release';
import { writeWhole } from '../write';
import { compareVersions } from './bases';
import { findRuntime, loadRuntimes, type Runtime } from './runtimes';
import { npmVersions, type PackageVersions, versionOfBoth } from './versions';

/** What pinning a version came to. */
export interface Pin {
  readonly version: string;
  /** The runtime.json that holds it. */
  readonly file: string;
  /** False when it was pinned already, with the same integrities. */
  readonly added: boolean;
}

/**
 * Adds a version to a runtime's `runtime.json`, with the integrities that npm names today for both
 * architectures. The rest of the file stays as it is.
 *
 * @param wanted `2.9.5`, or `2.9` and `2` for the newest of these; without it the newest of all
 * @throws LayersError `InstalledPackage` for a runtime in `node_modules`, `UnknownVersion`,
 * `VersionLookupFailed`, `IntegrityMismatch` for a version that is pinned with other integrities,
 * `WriteFailed`
 */
export async function pinVersion(
  runtime: Runtime,
  wanted?: string,
  packageVersions: PackageVersions = npmVersions(),
): Promise<Pin> {
  const file = join(runtime.folder, 'runtime.json');
  if (file.split(sep).includes('node_modules')) {
    throw new LayersError(
      'InstalledPackage',
      `${file} belongs to an installed package, and the next installation would undo a pin; pin in a ` +
        'checkout of that project',
    );
  }
  const { version, integrities } = await versionOfBoth(runtime, wanted, packageVersions);
  const pinned = runtime.versions[version];
  if (pinned) {
    const differing = ARCHITECTURES.filter(
      (architecture) => pinned[architecture] !== integrities[architecture],
    );
    if (differing.length > 0) {
      throw new LayersError(
        'IntegrityMismatch',
        `${file} pins ${runtime.name} ${version} for ${differing.join(' and ')} with another integrity than npm ` +
          'names today; find out who changed what before you touch the pin',
      );
    }
    return { version, file, added: false };
  }
  const text = readFileSync(file, 'utf8');
  const edits = modify(text, ['versions', version], integrities, {
    formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' },
    // Newest first, as a reader looks for it.
    getInsertionIndex: (versions) =>
      versions.filter((other) => compareVersions(other, version) > 0).length,
  });
  await writeWhole(file, applyEdits(text, edits));
  return { version, file, added: true };
}

/** `layers pin`: what a person runs when an interpreter has a new version. */
export function pinCommand(): Command {
  return new Command('pin')
    .description("add a version of a runtime to its runtime.json, with npm's integrities")
    .argument('<runtime>', 'runtime, for example deno')
    .argument('[version]', 'exact, or its first parts for the newest of these (default: newest)')
    .action(async (name: string, wanted?: string) => {
      const runtime = findRuntime(name, loadRuntimes(undefined, { unpinned: true }));
      const { version, file, added } = await pinVersion(runtime, wanted);
      const where = relative(process.cwd(), file);
      if (!added) {
        console.log(`${name} ${version} is pinned already, in ${where}`);
        return;
      }
      console.log(
        `pinned ${name} ${version} in ${where}, with the integrities that npm names today`,
      );
      console.log(`try it:  npx layers build --runtime ${name} --version ${version} --check`);
      console.log('deliver: name it in "runtimes" of cdk.json, npm run rehearse, commit and push');
    });
}
