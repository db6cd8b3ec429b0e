/** What the publish and smoke actions run, bundled into one file: see `bin/build-tools.ts`. */
import { Command } from 'commander';
import { describeError } from '../errors';
import { smokeCommand } from '../smoke';
import { publishCommand } from './command';

new Command('tools')
  .description('Publish and smoke-test a release')
  .addCommand(publishCommand())
  .addCommand(smokeCommand())
  .parseAsync()
  .catch((error) => {
    console.error(describeError(error));
    process.exitCode = 1;
  });
