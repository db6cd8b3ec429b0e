import { Command } from 'commander';
import pc from 'picocolors';
import { parseConcurrency, parsePath } from '../options';
import { readReleasePlan, type SmokeCheck } from '../release';
import { writeJson } from '../write';
import { smoke } from './smoke';

/** What the last line of the output starts with; the rest of the line is a JSON SmokeCheck[]. */
export const REPORT_PREFIX = 'smoke-report: ';

/** `layers smoke`: the smoke action's work for one wave, which also runs by hand. */
export function smokeCommand(): Command {
  return new Command('smoke')
    .description('check every layer of a wave in every target, through its example function')
    .requiredOption('--plan <file>', 'release.json')
    .requiredOption('--wave <name>', 'wave to check')
    .option('--only <account/region>', 'one target of the wave, its canary')
    .option('--report <file>', 'write the result of every check there', parsePath)
    .option('--concurrency <number>', 'targets at the same time', parseConcurrency, 8)
    .action(async (options) => {
      const { checks, failed } = await smoke({
        plan: await readReleasePlan(options.plan),
        wave: options.wave,
        only: options.only,
        concurrency: options.concurrency,
        rehearsal: process.env.LAYERS_REHEARSAL === '1',
        onCheck: (check, isFailed) => console.log(describeCheck(check, isFailed)),
      });
      if (options.report) await writeJson(options.report, checks);
      // Not thrown: the report must be the last line, whatever the result.
      if (failed.length > 0) {
        console.error(describeFailure(options.wave, checks, failed));
        process.exitCode = 1;
      }
      console.log(`${REPORT_PREFIX}${JSON.stringify(checks)}`);
    });
}

function describeCheck(check: SmokeCheck, failed: boolean): string {
  const status = failed ? 'failed' : check.ok ? 'ok' : 'not run';
  const colour = { failed: pc.red, ok: pc.green, 'not run': pc.yellow }[status];
  return [
    colour(status.padEnd(7)),
    `${check.account}/${check.region}`,
    check.layer,
    `${check.milliseconds} ms`,
    ...(status === 'not run' ? [check.message] : []),
  ].join('  ');
}

function describeFailure(
  wave: string,
  checks: readonly SmokeCheck[],
  failed: readonly SmokeCheck[],
): string {
  const lines = failed.map(
    ({ account, region, layer, message }) => `\n  ${account}/${region} ${layer}: ${message}`,
  );
  return `error [SmokeFailed]: ${failed.length} of ${checks.length} checks of wave "${wave}" failed, nothing of it is released:${lines.join('')}`;
}
