import { dirname } from 'node:path';
import { describeError } from '../lib/errors';
import { planCommand } from '../lib/preview';

planCommand(dirname(__dirname))
  .parseAsync()
  .catch((error) => {
    console.error(describeError(error));
    process.exitCode = 1;
  });
