import { dirname } from 'node:path';
import { describeError } from '../lib/errors';
import { rehearseCommand } from '../lib/rehearsal/command';

rehearseCommand(dirname(__dirname))
  .parseAsync()
  .catch((error) => {
    console.error(describeError(error));
    process.exitCode = 1;
  });
