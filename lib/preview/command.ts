import { Command, Option } from 'commander';
import { configFromContext, overridesFromEnvironment, readConfig, readJson } from '../config';
import { LayersError } from '../errors';
import { parseTypedPath } from '../options';
import { releaseFolders } from '../release/prepare';
import { writeJson } from '../write';
import { compareWithAws, type TargetChanges } from './against';
import { describeChanges, describePreview } from './display';
import { planLocally, preview } from './preview';

interface Options {
  readonly config?: string;
  readonly json?: string;
  readonly against?: 'aws';
  readonly roleName?: string;
}

/**
 * `npm run plan`: what a configuration would do, without doing it.
 *
 * @param root folder with cdk.json and dist
 */
export function planCommand(root: string): Command {
  return new Command('plan')
    .description('Show what the configuration would do: waves, stages, paused targets, duration')
    .option(
      '--config <file>',
      'JSON file in place of context.delivery in cdk.json',
      parseTypedPath('plan'),
    )
    .option('--json <file>', 'also write everything there as JSON', parseTypedPath('plan'))
    .addOption(
      new Option('--against <what>', 'compare with what SSM records in every target').choices([
        'aws',
      ]),
    )
    .option('--role-name <name>', "role to read through (default: CDK's lookup role)")
    .action((options: Options) => run(root, options));
}

async function run(root: string, options: Options): Promise<void> {
  if (options.roleName !== undefined && !options.against) {
    throw new LayersError(
      'InvalidOption',
      `--role-name ${options.roleName} is the role to read targets through; add --against aws`,
    );
  }
  const config = options.config
    ? configFromContext(readJson(options.config), overridesFromEnvironment())
    : readConfig(root);
  const { plan, unbuilt } = planLocally(config, releaseFolders(root));
  const shown = preview(plan, unbuilt);
  console.log(describePreview(shown));
  let changes: TargetChanges[] | undefined;
  if (options.against) {
    if (unbuilt.length > 0) {
      throw new LayersError(
        'LayersNotBuilt',
        `${unbuilt.length} of ${plan.layers.length} layers are not built here, so their digests are not known; run npm run build:layers, then plan again`,
      );
    }
    changes = await compareWithAws({ plan, roleName: options.roleName });
    console.log(`\n${describeChanges(changes)}`);
  }
  if (options.json) await writeJson(options.json, { ...shown, ...(changes && { changes }) });
  const unread = changes?.filter(({ problem }) => problem) ?? [];
  if (unread.length > 0) {
    throw new LayersError(
      'TargetsUnread',
      `${unread.length} of ${changes?.length} targets could not be read, see above; bootstrap them, name another role with --role-name, or check the credentials`,
    );
  }
}
