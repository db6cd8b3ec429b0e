import { describeError } from './errors';

/** Runs a program to its end: an error is one message on standard error, and status 1. */
export async function runProgram(program: () => Promise<unknown>): Promise<void> {
  try {
    await program();
  } catch (error) {
    console.error(describeError(error));
    process.exitCode = 1;
  }
}
