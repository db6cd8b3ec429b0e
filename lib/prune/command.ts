import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { readConfig } from '../config';
import { LayersError } from '../errors';
import { type PrunedVersion, prune } from './prune';

const COLOURS = {
  kept: pc.dim,
  'would-delete': pc.yellow,
  deleted: pc.green,
  failed: pc.red,
} as const;

/** `layers prune`: never part of a deployment; a person runs it, target by target. */
export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'delete layer versions of one target that no parameter records and no function uses',
    )
    .option('--region <region>', 'region (default: AWS_REGION, or the region of the profile)')
    .option('--account-role <arn>', 'role to act through, in another account')
    .option('--keep <number>', 'newest layers to keep of each runtime and architecture', count, 3)
    .option('--include-shared', 'also what others were granted: their functions cannot be seen')
    .option('--yes', 'delete; without it, only say what would be deleted')
    .option('--json', 'print JSON')
    .action(async (options) => {
      // The configuration says what must stay: without it nothing may go.
      const { namespace, runtimes } = readConfig();
      const versions = await prune({
        region: options.region,
        roleArn: options.accountRole,
        namespace,
        runtimes,
        keep: options.keep,
        includeShared: options.includeShared,
        execute: options.yes,
      });
      if (options.json) console.log(JSON.stringify(versions, undefined, 2));
      else console.log(describe(versions));
      const failed = versions.filter(({ result }) => result === 'failed');
      if (failed.length > 0) {
        throw new LayersError(
          'PruneFailed',
          `${failed.length} of ${versions.length} layer versions could not be deleted, the others are as said; put it right and run again: ${failed[0].reason}`,
        );
      }
    });
}

function count(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0 to 9999.');
}

function describe(versions: readonly PrunedVersion[]): string {
  const lines = versions.map(
    ({ result, arn, reason }) => `${COLOURS[result](result.padEnd(12))} ${arn}  ${reason}`,
  );
  const number = (result: PrunedVersion['result']) =>
    versions.filter((version) => version.result === result).length;
  const would = number('would-delete');
  const summary =
    would > 0
      ? `${would} of ${versions.length} layer versions would be deleted, and nothing was; --yes deletes them`
      : `${number('deleted')} of ${versions.length} layer versions deleted`;
  return [...lines, summary].join('\n');
}
