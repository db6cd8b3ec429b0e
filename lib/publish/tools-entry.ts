/** What the preflight, publish and smoke actions run, bundled into one file: see `bin/build-tools.ts`. */
import { Command } from 'commander';
import { describeError } from '../errors';
import { preflightCommand } from '../preflight';
import { smokeCommand } from '../smoke';
import { publishCommand } from './command';

new Command('tools')
  .description('Check the targets of a release, publish it and smoke-test it')
  .addCommand(preflightCommand())
  .addCommand(publishCommand())
  .addCommand(smokeCommand())
  .parseAsync()
  .catch((error) => {
    console.error(describeError(error));
    process.exitCode = 1;
  });
