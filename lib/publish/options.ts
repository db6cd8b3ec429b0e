import { rename, writeFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';

/** A number of parallel tasks, for commander. */
export function parseConcurrency(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 64) {
    throw new InvalidArgumentError('it must be a whole number from 1 to 64');
  }
  return number;
}

/** Written beside and renamed, so that a half-written file never looks finished. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, undefined, 2)}\n`);
  await rename(temporary, file);
}
