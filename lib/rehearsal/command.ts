import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import colors from 'picocolors';
import { describeError, LayersError } from '../errors';
import { SIGNALS } from '../interrupt';
import { parseTypedPath } from '../options';
import { assertWritable, writeJson } from '../write';
import { isolate } from './cloud';
import { readKept, runDaemon, stopKept } from './daemon';
import { defaultApproval } from './session/approvals';
import { arnTable, Display } from './session/display';
import { parseFault, type RequestedFault } from './session/faults';
import type { RehearsalOptions } from './session/options';
import { cloudVariables } from './session/person';
import { Rehearsal } from './session/rehearsal';
import type { Report } from './session/report';

/** Exit codes: all is well; something failed; not everything could be run. */
export const EXIT = { succeeded: 0, failed: 1, notAllRun: 2, interrupted: 130 } as const;

/** `npm run rehearse -- …` */
export function rehearseCommand(root: string): Command {
  const command = new Command('rehearse')
    .description('Take a commit through the whole pipeline on this machine, without an AWS account')
    .option(
      '--report <file>',
      'write a JSON report there, also after a failure',
      parseTypedPath('rehearse'),
    )
    .option('--keep', 'leave the local cloud running and print how to reach it', false)
    .option('--stop', 'end the local cloud that --keep left running')
    .addOption(
      new Option('--approve <who>', 'answer manual approvals: all, none, or ask on the terminal')
        .choices(['all', 'none', 'ask'])
        .default(defaultApproval(), 'ask on a terminal, all elsewhere'),
    )
    .option(
      '--config <file>',
      'JSON file to use in place of context.delivery in cdk.json',
      parseTypedPath('rehearse'),
    )
    .option(
      '--after <file>',
      'push a second commit with this configuration after the first',
      parseTypedPath('rehearse'),
    )
    .option(
      '--fault <fault>',
      'let something fail: WHAT[@ACCOUNT/REGION]=KIND[:TIMES], see docs/failures.md; may be repeated',
      (text, faults: readonly RequestedFault[]) => [...faults, parseFault(text)],
      [],
    )
    .option('--include-working-tree', 'rehearse uncommitted changes too', false)
    .option('--allow-not-run', 'exit with 0 although something could not be run here', false)
    .action(async (flags) => {
      process.exitCode = flags.stop ? await stop(root) : await rehearse({ root, ...flags });
    });
  // Hidden: the process that the rehearsal keeps its local cloud in.
  command.addCommand(
    new Command('local-cloud')
      .argument('<stateDir>')
      .argument('<logDir>')
      .action((stateDir, logDir) => runDaemon(stateDir, logDir)),
    { hidden: true },
  );
  return command;
}

async function stop(root: string): Promise<number> {
  console.log((await stopKept(root)) ? 'local cloud stopped' : 'no local cloud is running');
  return EXIT.succeeded;
}

async function rehearse(flags: RehearsalOptions): Promise<number> {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  if (endpoint && endpoint !== readKept(flags.root)?.endpoint) {
    throw new LayersError(
      'ForeignEndpoint',
      `AWS_ENDPOINT_URL is ${endpoint}, and the rehearsal brings an emulator of its own: unset it`,
    );
  }
  isolate();
  const options = { ...flags, ...(flags.report ? { report: resolve(flags.report) } : {}) };
  if (options.report) await assertReportable(options.report);
  const display = new Display();
  const rehearsal = new Rehearsal(options, display);
  let interrupted = false;
  let kept = false;
  // One Ctrl-C under npm arrives twice; a later one changes nothing, because the end is bounded.
  const interrupt = () => {
    if (interrupted) return;
    interrupted = true;
    display.line('interrupted, cleaning up');
    rehearsal.interrupt();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  let report: Report;
  try {
    const problems = await rehearsal
      .run()
      .catch((error: unknown) => [interrupted ? 'interrupted' : describeError(error)]);
    if (interrupted) {
      report = await rehearsal.interruptedReport();
    } else {
      report = await rehearsal.report(problems);
      kept = conclude(report, options, rehearsal, display);
    }
  } finally {
    if (kept) rehearsal.removeFiles();
    else await rehearsal.close();
    display.close();
  }
  if (options.report) await writeJson(options.report, report);
  return interrupted ? EXIT.interrupted : exitCode(report, options);
}

/** A report that cannot be written is said before minutes of work, not after. */
async function assertReportable(file: string): Promise<void> {
  await assertWritable(dirname(file));
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new LayersError('InvalidReport', `--report ${file} is a folder; name a file in it`);
  }
}

/** Shows how it ended; answers whether the local cloud is kept. */
function conclude(
  report: Report,
  options: RehearsalOptions,
  rehearsal: Rehearsal,
  display: Display,
): boolean {
  if (rehearsal.handle) display.line();
  if (report.result !== 'failed') display.line(arnTable(report, rehearsal.namespace));
  for (const { what, why, cure } of report.notRun) {
    display.line(colors.yellow(`not run: ${what}: ${why}; ${cure}`));
  }
  for (const { account, region, paused, pausedSince } of report.targets) {
    if (paused) {
      display.line(colors.yellow(`paused since ${pausedSince}: ${account}/${region}: ${paused}`));
    }
  }
  for (const problem of report.problems) display.problem(problem);
  // Nothing ran: a summary would only bury the message.
  if (!rehearsal.handle) return false;
  for (const { fault, met } of report.faults) display.line(`fault ${fault}: met ${met} times`);
  const published = report.targets.reduce((sum, target) => sum + target.published.length, 0);
  const changed = report.targets.reduce((sum, target) => sum + target.changedParameters.length, 0);
  display.line(
    `${report.result.replaceAll('-', ' ')} in ${report.seconds.toFixed(0)} s: ` +
      `${published} layer versions published, ${changed} parameters changed in ${report.targets.length} targets`,
  );
  if (!options.keep) return false;
  rehearsal.handle.keep(options.root);
  const { state } = rehearsal.handle;
  const place = report.targets[0] ?? { account: '111111111111', region: 'us-east-1' };
  display.line();
  display.line('the local cloud is kept; to point the AWS CLI at it:');
  for (const [name, value] of Object.entries(cloudVariables(state, place))) {
    if (name !== 'LAYERS_REHEARSAL') display.line(`  export ${name}=${value || "''"}`);
  }
  display.line('an access key id of 12 digits is the root user of that account');
  if (rehearsal.home) display.line(`the home account is ${rehearsal.home}`);
  display.line('npm run rehearse -- --stop ends it');
  return true;
}

function exitCode(report: Report, { allowNotRun }: RehearsalOptions): number {
  if (report.result === 'failed') return EXIT.failed;
  return report.result === 'succeeded' || allowNotRun ? EXIT.succeeded : EXIT.notAllRun;
}
