import { describeError } from './errors';

/** Runs a program to its end: an error is one message on standard error, and status 1. */
export async function runProgram(program: () => Promise<unknown>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreGoneReader);
  try {
    await program();
  } catch (error) {
    console.error(describeError(error));
    process.exitCode = 1;
  }
}

/** As `console.log` does: who reads no further, as `head`, has what they wanted. */
function ignoreGoneReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
