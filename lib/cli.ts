import { Command } from 'commander';
import { buildCommand } from './layers/command';
import { pinCommand } from './layers/pin';
import { arnCommand, listCommand } from './lookup/command';
import { preflightCommand } from './preflight';
import { runProgram } from './program';
import { pruneCommand } from './prune';
import { publishCommand } from './publish/command';
import { smokeCommand } from './smoke/command';

/** The program `layers`: its arguments are those of the process, and so is its exit code. */
export async function runLayers(): Promise<void> {
  const program = new Command('layers')
    .description('Build, publish, check and look up Lambda runtime layers')
    .addCommand(buildCommand())
    .addCommand(pinCommand())
    .addCommand(preflightCommand())
    .addCommand(publishCommand())
    .addCommand(smokeCommand())
    .addCommand(arnCommand())
    .addCommand(listCommand())
    .addCommand(pruneCommand());
  await runProgram(() => program.parseAsync());
}
