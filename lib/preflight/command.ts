import { Command } from 'commander';
import pc from 'picocolors';
import { parseConcurrency } from '../options';
import { readReleasePlan } from '../release';
import { preflight, preflightError, type TargetReadiness } from './preflight';

/** `layers preflight`: the preflight action's work, which also runs by hand. */
export function preflightCommand(): Command {
  return new Command('preflight')
    .description('ask every target whether it can take the release; changes nothing')
    .requiredOption('--plan <file>', 'release.json')
    .option('--concurrency <number>', 'targets at the same time', parseConcurrency, 32)
    .action(async (options) => {
      const targets = await preflight({
        plan: await readReleasePlan(options.plan),
        concurrency: options.concurrency,
        onTarget: (target) => console.log(describeTarget(target)),
      });
      const error = preflightError(targets);
      if (error) throw error;
    });
}

function describeTarget({ account, region, problems }: TargetReadiness): string {
  const ready = problems.length === 0;
  const status = ready ? pc.green('ready    ') : pc.red('not ready');
  return `${status}  ${account}/${region}`;
}
