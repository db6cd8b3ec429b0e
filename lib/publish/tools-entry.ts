/** What the preflight, publish and smoke actions run, bundled into one file: see `bin/build-tools.ts`. */
import { Command } from 'commander';
import { preflightCommand } from '../preflight';
import { runProgram } from '../program';
import { smokeCommand } from '../smoke';
import { publishCommand } from './command';

const program = new Command('tools')
  .description('Check the targets of a release, publish it and smoke-test it')
  .addCommand(preflightCommand())
  .addCommand(publishCommand())
  .addCommand(smokeCommand());

runProgram(() => program.parseAsync());
