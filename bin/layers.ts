import { Command } from 'commander';
import { describeError } from '../lib/errors';
import { buildCommand } from '../lib/layers/command';
import { arnCommand, listCommand } from '../lib/lookup/command';
import { preflightCommand } from '../lib/preflight';
import { publishCommand } from '../lib/publish/command';
import { smokeCommand } from '../lib/smoke/command';

const program = new Command('layers')
  .description('Build, publish, check and look up Lambda runtime layers')
  .addCommand(buildCommand())
  .addCommand(preflightCommand())
  .addCommand(publishCommand())
  .addCommand(smokeCommand())
  .addCommand(arnCommand())
  .addCommand(listCommand());

program.parseAsync().catch((error) => {
  console.error(describeError(error));
  process.exitCode = 1;
});
