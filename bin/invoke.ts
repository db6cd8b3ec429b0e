import { describeError } from '../lib/errors';
import { invokeCommand } from '../lib/invoke/command';

invokeCommand()
  .parseAsync()
  .catch((error) => {
    console.error(describeError(error));
    process.exitCode = 1;
  });
